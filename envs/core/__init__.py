"""What is true: a drawing compiled into tables, and the rules that read them."""
