// All words of the page, in English and in German.

const ENGLISH = {
  other: "Deutsch", skip: "Skip to the maze", maze: "Maze", share: "Share", theme: "Light or dark", language: "Seite auf Deutsch zeigen", modes: "What to do",
  stage: "Maze", pad: "Moves", transport: "Playback", restart: "Restart", back: "One step back", play: "Play", pause: "Pause", step: "Step", speed: "Speed",
  timeline: "Position in the walk", close: "Close", footer: "mazegrad: draw a maze, let anything walk it. This page is one file and works without a network.",
  given: "Given", shipped: "Shipped mazes", mine: "My drawing", example38: "Example",
  tab_net: "Exercise 38", tab_draw: "Draw", tab_walk: "Walk", tab_plan: "Plan", tab_learn: "Learn", tab_rules: "Automata", tab_replay: "Replays",
  direction0: "up", direction1: "right", direction2: "left", direction3: "down",
  boardHelp_net: "Space plays and pauses, the right and left arrow keys step.", boardHelp_walk: "The arrow keys walk.",
  boardHelp_draw: "The arrow keys move the cursor, Space puts the chosen tile, Delete removes, a tile's character puts that tile.",
  boardLabel: "Maze {name}, {rows} rows, {columns} columns. {now}",
  stepFact: "Step", returnFact: "Return", sees: "Sees dots", carries: "Carries", nothing: "none", atGoal: "At the goal", ended: "Ended", stopped: "Stopped: long enough",
  stepNumber: "Step {n}.", went: "Went {direction}.", seesNow: "Sees {what}.",
  cannotWalk: "This map cannot be walked yet: {what}", lineColumn: "line {line}, column {column}: {message}",
  welcome: "New here? Press Play and watch the agent. Then give it a memory: change U, with the hints one by one.", understood: "Got it",
  taskTitle: "Follow the dots, with four numbers of memory",
  task: "The agent sees four bits <b>x</b>: is there a dot up, right, left, down? It remembers four numbers <b>h</b>, the <i>hidden state</i>, and at each step computes <b>h′ = W x + U h + b</b>. It goes where h′ is largest, and h′ is its next h. Dots stay, so there is one behind it too. <b>Find W, U and b with which it follows every path.</b> Press Play to see what it does now.",
  goal1: "It reaches the goal of this path.", goal2: "It follows every path that begins at its end.", goal3: "It follows every path with a dot below the start.",
  done: "done", open: "not yet", checkEvery: "Does it follow every path?", firstHint: "Give me a hint", nextHint: "Hint {n} of {of}", noMoreHints: "No more hints",
  tablesTitle: "W, U and b", tablesHelp: "Type a number, such as 2, -0.5 or 1/2, use the arrow keys ↑ ↓, or move the slider. The buttons change a whole table: I is the diagonal, J the other diagonal.",
  from: "from", aboutW: "what it sees", aboutU: "what it remembers", aboutb: "always",
  weightW: "W: how much a dot {from} speaks for going {to}", weightU: "U: how much the memory {from} speaks for going {to}", weightB: "b: how much always speaks for going {to}",
  tableChanged: "{name} changed", onTable: "{name}: {what}", setZero: "set all to 0", addI: "add 1 on the diagonal", takeI: "take 1 from the diagonal", addJ: "add 1 on the other diagonal",
  takeJ: "take 1 from the other diagonal", double: "double all", halve: "halve all",
  mindTitle: "What it computes at this step", mindHelp: "x: the bits it sees, ● is 1. h: the hidden state it remembers; it begins as (1, 0, 0, 0), “up”. The row with the largest h′ is where it goes; of equal ones, the first.",
  column0: "direction", column1: "sees a dot", column2: "hidden state before", column3: "what it sees, weighted", column4: "what it remembers, weighted", column5: "bias", column6: "hidden state after", column7: "as a bar",
  fourOnly: "The net has four outputs; here are other moves.",
  eigenTitle: "Eigenvalues of U", eigenHelp: "Inside the circle a memory fades, outside it grows. At 1 it stays for ever, at 0 it is forgotten at once.",
  followsAll: "It follows every path, of any length: proved.", followsAllMore: "You have solved exercise 38. Its state takes finitely many values, and at each of them the net goes the right way. Try another maze above, or a map of your own.",
  checking: "Trying all paths …", doesNotFollow: "No, there are paths that it fails to follow.", notProved: "No failure was found, but it is not proved.",
  failsEnd: "A path from its end, wrong at step {n}", failsInside: "A path with a dot below the start, wrong at step {n}", watchFailure: "Watch it fail",
  exampleBanner: "A path that the net fails to follow, wrong at step {n}. Go step by step.", backToMaze: "Back to the maze", recordBanner: "The maze of the recorded run.",
  strays: "It goes {went}, the path goes {wanted}",
  noGoal: "There is no goal.", noWay: "No way leads to a goal.", noKey: "Door {door} has no key.",
  drawTitle: "Draw a maze", drawHelp: "Choose a tile, then draw on the maze. Drawing over the same tile erases it. With the keyboard: arrow keys on the maze, Space puts the tile.",
  palette: "Tiles", group_path: "Path", group_ground: "Ground", group_things: "Items and signs", group_gates: "Teleporters", group_locks: "Keys and doors",
  undo: "Undo", redo: "Redo", clear: "Clear", cleared: "Cleared", rows: "Rows", columns: "Columns", less: "fewer {name}", more: "more {name}",
  samplesTitle: "Examples", sample_empty: "Empty room", sample_walls: "Walls", sample_path: "Path", sample_traps: "Traps", sample_ice: "Ice", sample_conveyors: "Conveyors",
  sample_teleporters: "Teleporters", sample_keys: "Keys and doors", sample_items: "Items", sample_signs: "Signs", sample_wind: "Wind",
  textTitle: "As text", textHelp: "One character a tile; lines such as slip: 0.1 before the drawing are settings.", saveText: "Save as a file", openText: "Open a file", saved: "Saved",
  cell: "Cell", tileFact: "Tile", cellIs: "Row {row}, column {column}: {what}",
  walkTitle: "Walk yourself", walkHelp: "Use the arrow keys, or the buttons below the maze.", lastReward: "Last reward", stateFact: "State",
  walkMore: "Try this", walkChallenge: "Walk with the four bits alone: look only at what the agent sees, and try to find the way. Which places look alike?",
  planTitle: "Value iteration", planHelp: "<b>V*</b> of a place is the expected return of the best policy from there. One sweep computes each place from its neighbours; play repeats it until nothing changes. Arrows are the best actions.",
  sweepOnce: "One sweep", converge: "Until it converges", discount: "Discount γ", showNumbers: "Show numbers", sweepsTitle: "Sweeps", sweepFact: "Sweep",
  largestChange: "Largest change", startValue: "Value at the start", startCurve: "Value at the start, sweep by sweep", converged: "Converged",
  learnTitle: "Q-learning", learnHelp: "It knows nothing and tries. After each step it corrects <b>Q</b>, its estimate of what an action is worth. Slow shows each step, fast many episodes a second.",
  learn: "Learn", oneEpisode: "One episode", rate: "Learning rate α", epsilon: "Exploration ε", regretTitle: "Regret", regretHelp: "By how much its greedy policy falls short of the best one, exactly. At 0 it has learned the way.",
  episodes: "Episodes", recentReturn: "Mean return, last 20", regretFact: "Regret",
  rulesTitle: "Automata", rule: "Automaton", asNet: "Run it compiled, as a net of threshold units", graphTitle: "Its graph",
  rule_wallRight: "Wall follower, right hand", rule_wallLeft: "Wall follower, left hand", rule_path: "Path follower", rule_tMaze: "T-maze", rule_own: "Write your own",
  about_wallRight: "Keeps its right hand on the wall: it turns right if it can, else goes straight on, else left, else back. Its node is its heading.",
  about_wallLeft: "Keeps its left hand on the wall: it turns left if it can, else goes straight on, else right, else back. Its node is its heading.",
  about_path: "The rule of exercise 38 as four nodes: go where a dot is, but not back. Its node is its heading.", about_tMaze: "Remembers which sign it saw, and turns that way where the corridor ends.",
  about_own: "Your own rules; the T-maze’s to begin with.",
  rulesHelp: "A line for each rule: node: what it sees -> where it goes, next node. In a node the first line that fits counts. Sees: up, right, left, down, no up, only up, anything. The JSON of an Automaton’s to_dict works too.",
  ruleLine: "line {line}: {what}", ruleShape: "a rule looks like this: left: up right -> up, right", ruleWord: "unknown word {word}", ruleEmpty: "it lacks what is seen; anything matches all",
  ruleNode: "there is no rule for a node {node}", ruleMissing: "node {node} has no rule for {sees}; end it with a line “anything”", ruleMany: "at most {n} nodes", ruleTables: "this is not the JSON of an automaton on four bits",
  edgeTaken: "Node {node} sees {sees}, goes {goes}, then node {after}.", nodeNow: "Node {node}.", unitsHelp: "The {n} threshold units of the compiled net; the coloured one is on.", unitOn: "unit {n} is on",
  replayTitle: "Look through a recorded run", replayHelp: "Open what <code>mazegrad record walk.jsonl</code> wrote, and move through it with the slider below the maze.", openReplay: "Open a .jsonl file", openThis: "Open {name}",
  episode: "Episode", episodeOf: "{n}: {steps} steps", replayAbout: "{id}, episodes: {n}, steps of this one: {steps}", replayOpened: "{name} opened, {steps} steps", endOfRun: "End of the run",
  shareTitle: "Share by link", shareHelp: "This link holds the maze, the weights and the view. Whoever opens it with this page sees the same.", copy: "Copy the link", copied: "Copied", copyByHand: "Copy it by hand",
  badLink: "The link cannot be read; it may be cut off.",
};

const GERMAN = {
  other: "English", skip: "Zum Labyrinth springen", maze: "Labyrinth", share: "Teilen", theme: "Hell oder dunkel", language: "Show this page in English", modes: "Was tun",
  stage: "Labyrinth", pad: "Züge", transport: "Wiedergabe", restart: "Von vorn", back: "Einen Schritt zurück", play: "Los", pause: "Pause", step: "Schritt", speed: "Tempo",
  timeline: "Stelle im Weg", close: "Schließen", footer: "mazegrad: Labyrinthe zeichnen und von allem durchlaufen lassen. Diese Seite ist eine einzige Datei und braucht kein Netz.",
  given: "Mitgegeben", shipped: "Mitgelieferte Labyrinthe", mine: "Meine Zeichnung", example38: "Beispiel",
  tab_net: "Aufgabe 38", tab_draw: "Zeichnen", tab_walk: "Laufen", tab_plan: "Planen", tab_learn: "Lernen", tab_rules: "Automaten", tab_replay: "Mitschnitte",
  direction0: "oben", direction1: "rechts", direction2: "links", direction3: "unten",
  boardHelp_net: "Die Leertaste startet und hält an, die Pfeiltasten rechts und links gehen schrittweise.", boardHelp_walk: "Die Pfeiltasten laufen.",
  boardHelp_draw: "Die Pfeiltasten bewegen den Rahmen, die Leertaste setzt das gewählte Feld, Entf löscht, das Zeichen eines Feldes setzt dieses Feld.",
  boardLabel: "Labyrinth {name}, {rows} Zeilen, {columns} Spalten. {now}",
  stepFact: "Schritt", returnFact: "Ertrag", sees: "Sieht Punkte", carries: "Trägt", nothing: "keine", atGoal: "Am Ziel", ended: "Zu Ende", stopped: "Angehalten: lang genug",
  stepNumber: "Schritt {n}.", went: "Ging nach {direction}.", seesNow: "Sieht {what}.",
  cannotWalk: "Diese Karte ist noch nicht begehbar: {what}", lineColumn: "Zeile {line}, Spalte {column}: {message}",
  welcome: "Zum ersten Mal hier? Drück „Los“ und sieh dem Agenten zu. Gib ihm dann ein Gedächtnis: Ändere U, mit einem Tipp nach dem anderen.", understood: "Alles klar",
  taskTitle: "Den Punkten folgen, mit vier Zahlen Gedächtnis",
  task: "Der Agent sieht vier Bits <b>x</b>: Liegt oben, rechts, links, unten ein Punkt? Er merkt sich vier Zahlen <b>h</b>, den <i>verborgenen Zustand</i>, und berechnet in jedem Schritt <b>h′ = W x + U h + b</b>. Er geht dorthin, wo h′ am größten ist, und h′ ist sein nächstes h. Punkte bleiben liegen, also liegt auch hinter ihm einer. <b>Gesucht sind W, U und b, mit denen er jedem Pfad folgt.</b> „Los“ zeigt, was er jetzt tut.",
  goal1: "Er erreicht das Ziel dieses Pfades.", goal2: "Er folgt jedem Pfad, der an dessen Ende beginnt.", goal3: "Er folgt jedem Pfad mit einem Punkt unter dem Start.",
  done: "erreicht", open: "noch nicht", checkEvery: "Folgt er jedem Pfad?", firstHint: "Ein Tipp, bitte", nextHint: "Tipp {n} von {of}", noMoreHints: "Keine Tipps mehr",
  tablesTitle: "W, U und b", tablesHelp: "Eine Zahl eintippen, etwa 2, -0,5 oder 1/2, mit den Pfeiltasten ↑ ↓ ändern oder den Regler ziehen. Die Knöpfe ändern eine ganze Tabelle: I ist die Diagonale, J die andere Diagonale.",
  from: "von", aboutW: "was er sieht", aboutU: "was er sich merkt", aboutb: "immer",
  weightW: "W: wie sehr ein Punkt {from} dafür spricht, nach {to} zu gehen", weightU: "U: wie sehr das Gedächtnis {from} dafür spricht, nach {to} zu gehen", weightB: "b: wie viel immer dafür spricht, nach {to} zu gehen",
  tableChanged: "{name} geändert", onTable: "{name}: {what}", setZero: "alles auf 0", addI: "1 zur Diagonale", takeI: "1 von der Diagonale weg", addJ: "1 zur anderen Diagonale",
  takeJ: "1 von der anderen Diagonale weg", double: "alles verdoppeln", halve: "alles halbieren",
  mindTitle: "Was er in diesem Schritt berechnet", mindHelp: "x: die Bits, die er sieht, ● ist 1. h: der verborgene Zustand, den er sich merkt; er beginnt als (1, 0, 0, 0), „oben“. Die Zeile mit dem größten h′ ist die Richtung; bei gleichen die erste.",
  column0: "Richtung", column1: "sieht einen Punkt", column2: "verborgener Zustand vorher", column3: "was er sieht, gewichtet", column4: "was er sich merkt, gewichtet", column5: "Bias", column6: "verborgener Zustand nachher", column7: "als Balken",
  fourOnly: "Das Netz hat vier Ausgänge; hier gibt es andere Züge.",
  eigenTitle: "Eigenwerte von U", eigenHelp: "Innerhalb des Kreises verblasst eine Erinnerung, außerhalb wächst sie. Bei 1 bleibt sie für immer, bei 0 ist sie sofort vergessen.",
  followsAll: "Er folgt jedem Pfad, beliebig lang: bewiesen.", followsAllMore: "Aufgabe 38 ist gelöst. Der Zustand nimmt nur endlich viele Werte an, und bei jedem geht das Netz richtig. Probiere oben ein anderes Labyrinth, oder zeichne eines.",
  checking: "Alle Pfade werden probiert …", doesNotFollow: "Nein, es gibt Pfade, denen er nicht folgt.", notProved: "Kein Fehler gefunden, aber auch kein Beweis.",
  failsEnd: "Ein Pfad ab seinem Ende, falsch in Schritt {n}", failsInside: "Ein Pfad mit einem Punkt unter dem Start, falsch in Schritt {n}", watchFailure: "Fehler ansehen",
  exampleBanner: "Ein Pfad, dem das Netz nicht folgt, falsch in Schritt {n}. Geh ihn schrittweise durch.", backToMaze: "Zurück zum Labyrinth", recordBanner: "Das Labyrinth des Mitschnitts.",
  strays: "Er geht {went}, der Pfad geht {wanted}",
  noGoal: "Es gibt kein Ziel.", noWay: "Kein Weg führt zu einem Ziel.", noKey: "Tür {door} hat keinen Schlüssel.",
  drawTitle: "Ein Labyrinth zeichnen", drawHelp: "Ein Feld wählen und auf dem Labyrinth zeichnen. Über dasselbe Feld gezeichnet, löscht es. Mit der Tastatur: Pfeiltasten auf dem Labyrinth, die Leertaste setzt das Feld.",
  palette: "Felder", group_path: "Pfad", group_ground: "Boden", group_things: "Gegenstände und Schilder", group_gates: "Teleporter", group_locks: "Schlüssel und Türen",
  undo: "Rückgängig", redo: "Wiederholen", clear: "Leeren", cleared: "Geleert", rows: "Zeilen", columns: "Spalten", less: "weniger {name}", more: "mehr {name}",
  samplesTitle: "Beispiele", sample_empty: "Leerer Raum", sample_walls: "Wände", sample_path: "Pfad", sample_traps: "Fallen", sample_ice: "Eis", sample_conveyors: "Förderbänder",
  sample_teleporters: "Teleporter", sample_keys: "Schlüssel und Türen", sample_items: "Gegenstände", sample_signs: "Schilder", sample_wind: "Wind",
  textTitle: "Als Text", textHelp: "Ein Zeichen je Feld; Zeilen wie slip: 0.1 vor der Zeichnung sind Einstellungen.", saveText: "Als Datei sichern", openText: "Datei öffnen", saved: "Gesichert",
  cell: "Zelle", tileFact: "Feld", cellIs: "Zeile {row}, Spalte {column}: {what}",
  walkTitle: "Selbst laufen", walkHelp: "Mit den Pfeiltasten oder den Knöpfen unter dem Labyrinth.", lastReward: "Letzte Belohnung", stateFact: "Zustand",
  walkMore: "Zum Ausprobieren", walkChallenge: "Lauf nur nach den vier Bits: Schau allein auf das, was der Agent sieht, und versuche, den Weg zu finden. Welche Stellen sehen gleich aus?",
  planTitle: "Wertiteration", planHelp: "<b>V*</b> einer Stelle ist der erwartete Ertrag der besten Strategie von dort. Ein Durchgang berechnet jede Stelle aus ihren Nachbarn; so lange, bis sich nichts mehr ändert. Die Pfeile sind die besten Aktionen.",
  sweepOnce: "Ein Durchgang", converge: "Bis zur Konvergenz", discount: "Diskont γ", showNumbers: "Zahlen zeigen", sweepsTitle: "Durchgänge", sweepFact: "Durchgang",
  largestChange: "Größte Änderung", startValue: "Wert am Start", startCurve: "Wert am Start, Durchgang für Durchgang", converged: "Konvergiert",
  learnTitle: "Q-Lernen", learnHelp: "Er weiß nichts und probiert. Nach jedem Schritt verbessert er <b>Q</b>, seine Schätzung, was eine Aktion wert ist. Langsam zeigt jeden Schritt, schnell viele Episoden in der Sekunde.",
  learn: "Lernen", oneEpisode: "Eine Episode", rate: "Lernrate α", epsilon: "Erkundung ε", regretTitle: "Reue", regretHelp: "Um wie viel seine beste bekannte Strategie hinter der besten zurückbleibt, genau berechnet. Bei 0 hat er den Weg gelernt.",
  episodes: "Episoden", recentReturn: "Mittlerer Ertrag, letzte 20", regretFact: "Reue",
  rulesTitle: "Automaten", rule: "Automat", asNet: "Übersetzt laufen lassen, als Netz aus Schwelleneinheiten", graphTitle: "Sein Graph",
  rule_wallRight: "Wandfolger, rechte Hand", rule_wallLeft: "Wandfolger, linke Hand", rule_path: "Pfadfolger", rule_tMaze: "T-Labyrinth", rule_own: "Selbst schreiben",
  about_wallRight: "Lässt die rechte Hand an der Wand: geht rechts, wenn es geht, sonst geradeaus, sonst links, sonst zurück. Sein Knoten ist seine Blickrichtung.",
  about_wallLeft: "Lässt die linke Hand an der Wand: geht links, wenn es geht, sonst geradeaus, sonst rechts, sonst zurück. Sein Knoten ist seine Blickrichtung.",
  about_path: "Die Regel von Aufgabe 38 als vier Knoten: dahin, wo ein Punkt liegt, aber nicht zurück. Sein Knoten ist seine Richtung.", about_tMaze: "Merkt sich, welches Schild er sah, und biegt dorthin ab, wo der Gang endet.",
  about_own: "Eigene Regeln; anfangs die des T-Labyrinths.",
  rulesHelp: "Eine Zeile je Regel: Knoten: was er sieht -> wohin er geht, nächster Knoten. In einem Knoten gilt die erste Zeile, die passt. Sieht: oben, rechts, links, unten, kein oben, nur oben, alles. Auch das JSON von to_dict eines Automaton geht.",
  ruleLine: "Zeile {line}: {what}", ruleShape: "eine Regel sieht so aus: links: oben rechts -> oben, rechts", ruleWord: "unbekanntes Wort {word}", ruleEmpty: "es fehlt, was er sieht; alles passt auf alles",
  ruleNode: "es gibt keine Regel für einen Knoten {node}", ruleMissing: "Knoten {node} hat keine Regel für {sees}; beende ihn mit einer Zeile „alles“", ruleMany: "höchstens {n} Knoten", ruleTables: "das ist nicht das JSON eines Automaten auf vier Bits",
  edgeTaken: "Knoten {node} sieht {sees}, geht {goes}, dann Knoten {after}.", nodeNow: "Knoten {node}.", unitsHelp: "Die {n} Schwelleneinheiten des übersetzten Netzes; die farbige ist an.", unitOn: "Einheit {n} ist an",
  replayTitle: "Einen Mitschnitt ansehen", replayHelp: "Öffne, was <code>mazegrad record walk.jsonl</code> geschrieben hat, und bewege dich mit dem Regler unter dem Labyrinth hindurch.", openReplay: "Eine .jsonl-Datei öffnen", openThis: "{name} öffnen",
  episode: "Episode", episodeOf: "{n}: {steps} Schritte", replayAbout: "{id}, Episoden: {n}, Schritte in dieser: {steps}", replayOpened: "{name} geöffnet, {steps} Schritte", endOfRun: "Ende des Mitschnitts",
  shareTitle: "Als Link teilen", shareHelp: "Dieser Link enthält Labyrinth, Gewichte und Ansicht. Wer ihn mit dieser Seite öffnet, sieht dasselbe.", copy: "Link kopieren", copied: "Kopiert", copyByHand: "Bitte von Hand kopieren",
  badLink: "Der Link ist nicht lesbar; vielleicht fehlt ein Stück.",
};

const TILES = {
  " ": ["blank", "leer"], "#": ["wall", "Wand"], ".": ["dot", "Punkt"], S: ["start", "Start"], G: ["goal", "Ziel"], X: ["trap", "Falle"], "~": ["ice", "Eis"],
  "^": ["conveyor up", "Förderband nach oben"], ">": ["conveyor right", "Förderband nach rechts"], "<": ["conveyor left", "Förderband nach links"], v: ["conveyor down", "Förderband nach unten"],
  "*": ["item", "Gegenstand"], "{": ["sign to the left", "Schild nach links"], "}": ["sign to the right", "Schild nach rechts"],
};

const TITLES = {
  sheet38: "Der Pfad von Aufgabe 38", blocking_maze: "Das versperrte Labyrinth, vorher", blocking_maze_later: "Das versperrte Labyrinth, nach 1.000 Schritten", cliff_walk: "Die Klippe",
  dyna_maze: "Das Dyna-Labyrinth", four_rooms: "Vier Räume", from_the_end: "Ein Pfad von seinem Ende an", ice_lake: "Der gefrorene See", ice_lake_8x8: "Der große gefrorene See",
  key_door: "Schlüssel und Türen", long_way: "Ein langer Weg", loop: "Ein Rundweg", shortcut_maze: "Die Abkürzung, vorher", shortcut_maze_later: "Die Abkürzung, nach 3.000 Schritten",
  spiral: "Eine Spirale", windy_grid: "Das windige Gitter",
};

const HINTS = [
  [
    "Press Play. On a straight piece the agent sees two dots, one ahead and one behind, and nothing else. What it <i>sees</i> cannot tell them apart; only what it <i>remembers</i>, h, can.",
    "Let h say which way it came. If it went up, the dot <i>behind</i> is below, and that one must lose. So the memory of “up” has to speak <i>against</i> “down”: a negative number in U, row ↓, column ↑. The same for the other three pairs. These four numbers are the other diagonal: press −J below U.",
    "Now it reaches the goal. Press “Does it follow every path?” and watch it fail: at the end of a path nothing is behind, but h begins as “up” all the same. Look at the eigenvalues: with 1 and −1 an error is never forgotten.",
    "What about −J times ½? Press ×½ below U and check again. The error fades, but so does the memory of the heading, and long paths fail. Something must be kept for ever, and something else dropped.",
    "Take up and down alone. Their <i>difference</i> says which way it goes: keep it, eigenvalue 1. Their <i>sum</i> only says that it has gone up or down: drop it, eigenvalue 0. The matrix (I − J)/2 does just that: ½ on the diagonal, −½ on the other one.",
    "With U = (I − J)/2, the wrong start stays as an offset of 1, and a turn changes the difference by as much as W says. So what it sees must be louder than 1: W = 2 I. That is the whole solution: below U press 0, +I, −J, ×½, and below W press 0, +I, ×2.",
  ],
  [
    "Drück „Los“. Auf einem geraden Stück sieht der Agent zwei Punkte, einen vor sich und einen hinter sich, sonst nichts. Was er <i>sieht</i>, unterscheidet sie nicht; nur was er sich <i>merkt</i>, also h, kann das.",
    "Lass h sagen, woher er kommt. Ging er nach oben, liegt der Punkt <i>hinter</i> ihm unten, und der muss verlieren. Die Erinnerung „oben“ muss also <i>gegen</i> „unten“ sprechen: eine negative Zahl in U, Zeile ↓, Spalte ↑. Ebenso bei den anderen drei Paaren. Diese vier Zahlen sind die andere Diagonale: drück −J unter U.",
    "Jetzt erreicht er das Ziel. Drück „Folgt er jedem Pfad?“ und sieh dir den Fehler an: Am Ende eines Pfades liegt nichts hinter ihm, und doch beginnt h mit „oben“. Schau auf die Eigenwerte: Bei 1 und −1 wird ein Fehler nie vergessen.",
    "Und −J mal ½? Drück ×½ unter U und prüf noch einmal. Der Fehler verblasst, aber die Erinnerung an die Richtung auch, und lange Pfade misslingen. Etwas muss für immer bleiben, etwas anderes verschwinden.",
    "Nimm nur oben und unten. Ihre <i>Differenz</i> sagt, wohin er geht: behalten, Eigenwert 1. Ihre <i>Summe</i> sagt nur, dass er auf oder ab ging: vergessen, Eigenwert 0. Genau das tut die Matrix (I − J)/2: ½ auf der Diagonale, −½ auf der anderen.",
    "Mit U = (I − J)/2 bleibt der falsche Anfang als Versatz von 1, und eine Kurve ändert die Differenz um so viel, wie W sagt. Was er sieht, muss also lauter sein als 1: W = 2 I. Das ist die ganze Lösung: unter U 0, +I, −J, ×½ drücken, und unter W 0, +I, ×2.",
  ],
];

let german = false;

/** Choose the language: "de" or "en". */
export function setLanguage(language) {
  german = language === "de";
}

/** Return the language that is shown. */
export function currentLanguage() {
  return german ? "de" : "en";
}

/** Return a text in the current language, with {names} replaced. */
export function t(key, values = {}) {
  const text = (german ? GERMAN : ENGLISH)[key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return the hints of exercise 38. */
export function hints() {
  return HINTS[Number(german)];
}

/** Return the title of a maze; those that are shipped have one in German too. */
export function mazeTitle({ name, title }) {
  return (german && TITLES[name]) || title;
}

/** Return the name of a tile. */
export function tileName(tile) {
  if (TILES[tile]) return TILES[tile][Number(german)];
  if (/\d/.test(tile)) return `Teleporter ${tile}`;
  if (/[a-f]/.test(tile)) return `${german ? "Schlüssel" : "key"} ${tile.toUpperCase()}`;
  if (/[A-F]/.test(tile)) return `${german ? "Tür" : "door"} ${tile}`;
  return tile;
}

/** Return the name of an action. */
export function actionName(action, world) {
  return world.four ? t(`direction${action}`) : world.names[action];
}

/** Return the directions whose bits are 1. */
export function bitsInWords(bits, world) {
  const arrows = world.headings > 1 ? ["↑", "→", "←", "↓"] : world.angles.filter((angle) => angle !== null).map((angle) => ["↑", "↗", "→", "↘", "↓", "↙", "←", "↖"][(((angle + 360) % 360) / 45)]);
  const seen = bits.map((bit, d) => (bit ? (arrows[d] ?? world.names[d]) : "")).filter(Boolean);
  return seen.join(" ") || t("nothing");
}
