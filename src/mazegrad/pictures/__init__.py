"""What figures have in common; pictures of mazes are in `mazegrad.envs` (`draw`, `draw_svg`, `draw_pdf`)."""
