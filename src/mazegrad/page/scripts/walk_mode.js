// The mode in which a person walks, with the arrow keys or buttons.

import { card, el, say } from "./dom.js";
import { shortNumber } from "./view.js";
import { Walking } from "./walking.js";
import { bitsInWords, t } from "./words.js";

/** The mode in which a person walks. */
export class WalkMode extends Walking {
  constructor(app) {
    super(app);
    this.id = "walk";
    this.senses = true;
    this.ownMoves = true;
  }

  panel() {
    this.list = el("dl", { class: "numbers" });
    return [
      card(t("walkTitle"), el("p", { text: t("walkHelp") }), this.list),
      card(t("walkMore"), el("p", { class: "soft", text: t("walkChallenge") })),
    ];
  }

  live() {
    const { world } = this.app;
    const { now, index, frames } = this.walk;
    const before = index ? frames[index - 1].total : 0;
    const rows = [
      [t("stepFact"), index],
      [t("lastReward"), index ? shortNumber(now.total - before) : "–"],
      [t("returnFact"), shortNumber(now.total)],
      [t("sees"), bitsInWords(now.bits, world)],
      [t("stateFact"), `${now.state} / ${world.states}`],
    ];
    this.list.replaceChildren(
      ...rows.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]),
    );
  }

  /** Return the angle of the last move. */
  ahead(frame) {
    return super.ahead(frame) ?? (frame.moved === null ? null : this.app.world.angles[frame.moved]);
  }

  move(action) {
    if (this.walk.now.over) return;
    this.walk.step(action);
    this.app.show();
    say(this.spoken());
  }
}
