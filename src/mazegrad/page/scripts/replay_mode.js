// The mode in which a recorded run is looked through.

import { button, card, el, say } from "./dom.js";
import { chancesOf, startOf } from "./logic.js";
import { Recorded } from "./player.js";
import { readReplay } from "./replay.js";
import { Walking } from "./walking.js";
import { actionName, t } from "./words.js";

/** The mode in which a recorded run is looked through. */
export class ReplayMode extends Walking {
  constructor(app) {
    super(app);
    this.id = "replay";
    this.senses = true;
    this.run = null;
    this.episode = 0;
  }

  start() {
    const episode = this.run?.episodes[this.episode];
    this.walk =
      episode && this.app.maze === this.shown
        ? new Recorded(this.app.world, episode.states, episode.actions, episode.totals)
        : new Recorded(this.app.world, [startOf(this.app.world, chancesOf(1))], [], [0]);
  }

  restart() {
    this.walk.seek(0);
  }

  panel() {
    const input = el("input", {
      type: "file",
      accept: ".jsonl",
      class: "vh",
      id: "replay-file",
      "aria-label": t("openReplay"),
      tabindex: -1,
      on: {
        change: async () => {
          const [file] = input.files;
          if (file) this.open(await file.text(), file.name);
          input.value = "";
        },
      },
    });
    this.error = el("p", { class: "trouble", role: "alert", hidden: true });
    this.about = el("p");
    this.select = el("select", { id: "episode", on: { change: () => this.choose(Number(this.select.value)) } });
    this.episodes = el("label", { class: "field" }, el("span", { text: t("episode") }), this.select);
    const { replays } = this.app.data;
    const nodes = [
      card(
        t("replayTitle"),
        el("p", { html: t("replayHelp") }),
        el(
          "div",
          { class: "row" },
          input,
          button(t("openReplay"), () => input.click()),
          replays.map(({ name, text }) =>
            button(t("openThis", { name }), () => this.open(text, name), "quiet", { "data-replay": name }),
          ),
        ),
        this.error,
        this.about,
        this.episodes,
      ),
    ];
    this.showRun();
    return nodes;
  }

  open(text, name) {
    this.error.hidden = true;
    try {
      this.run = readReplay(text, Object.fromEntries(this.app.data.mazes.map((maze) => [maze.name, maze.text])));
      this.name = name;
    } catch (error) {
      this.error.textContent = `${name}: ${this.app.inWords(error)}`;
      this.error.hidden = false;
      return;
    }
    this.choose(0);
  }

  choose(number) {
    this.episode = number;
    this.shown = this.app.openTemporary(this.run.episodes[number].maze);
    this.start();
    this.showRun();
    this.app.show();
    say(t("replayOpened", { name: this.name, steps: this.walk.last }));
  }

  showRun() {
    this.episodes.hidden = !this.run;
    this.about.hidden = !this.run;
    if (!this.run) return;
    this.about.textContent = t("replayAbout", {
      id: this.run.id,
      n: this.run.episodes.length,
      steps: this.walk?.last ?? 0,
    });
    this.select.replaceChildren(
      ...this.run.episodes.map((episode, i) =>
        el("option", { value: i, text: t("episodeOf", { n: i + 1, steps: episode.actions.length }) }),
      ),
    );
    this.select.value = this.episode;
  }

  live() {}

  ahead(frame) {
    const next = this.walk.frames[this.walk.index + 1];
    return super.ahead(frame) ?? (next ? this.app.world.angles[next.moved] : null);
  }

  ending() {
    const { now } = this.walk;
    return now.atGoal ? t("atGoal") : this.walk.over && this.run ? t("endOfRun") : "";
  }

  spoken() {
    const { now } = this.walk;
    return `${super.spoken()} ${now.moved === null ? "" : actionName(now.moved, this.app.world)}`;
  }
}
