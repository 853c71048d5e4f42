import parseBMF from "commodetto/parseBMF";
import Poco from "commodetto/Poco";
import Resource from "Resource";

/* The screen of a board, or of the simulator. */
/* global screen */

const FONT = "OpenSans-Semibold-28.bf4";

/** Shows a word, and below it a note. */
export function show(word, note) {
  const poco = new Poco(screen);
  const font = parseBMF(new Resource(FONT));
  const [black, white, gray] = [poco.makeColor(0, 0, 0), poco.makeColor(255, 255, 255), poco.makeColor(150, 150, 150)];
  const draw = (text, color, y) =>
    poco.drawText(text, font, color, (poco.width - poco.getTextWidth(text, font)) / 2, y);
  poco.begin();
  poco.fillRectangle(black, 0, 0, poco.width, poco.height);
  draw(word, white, poco.height / 2 - font.height);
  draw(note, gray, poco.height / 2);
  poco.end();
}
