// The next item, fetched while this one is labeled.
import { send } from "./pages.js";

export class Ahead {
  // Ask for what follows the item whose `url` this is.
  fetch(url) {
    this.url = url;
    this.answer = null;
    const asked = send(url).then((answer) => {
      if (this.asked === asked) this.answer = answer;
      return answer;
    });
    this.asked = asked;
  }

  // The next item's page if it is here already, or null.
  get ready() {
    return this.answer?.kind === "shown" ? this.answer : null;
  }

  // Hand the next item over; whoever asks again gets null until something is fetched anew.
  async take() {
    const asked = this.asked;
    const answer = this.answer ?? (asked ? await asked : null);
    this.asked = this.answer = null;
    return answer;
  }
}
