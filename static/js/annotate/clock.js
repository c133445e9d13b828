// Seconds at work on the item: a pause of more than a minute, or a hidden page, does not count.
const IDLE_MS = 60_000;
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "scroll"];

export class Clock {
  constructor(onTick) {
    this.ms = 0;
    this.onTick = onTick;
    this.lastInput = this.lastTick = performance.now();
    for (const sign of SIGNS) {
      addEventListener(sign, () => (this.lastInput = performance.now()), { passive: true });
    }
    setInterval(() => this.#tick(), 1000);
  }

  // Another item is on the page, with this many seconds of work so far.
  start(seconds) {
    this.ms = seconds * 1000;
    this.lastTick = performance.now();
    this.onTick(this.seconds);
  }

  get seconds() {
    return Math.round(this.ms / 100) / 10;
  }

  #tick() {
    const now = performance.now();
    const active = !document.hidden && now - this.lastInput < IDLE_MS;
    // a laptop that slept wakes with one long tick: count no more than two seconds of it
    if (active) this.ms += Math.min(now - this.lastTick, 2000);
    this.lastTick = now;
    this.onTick(this.seconds);
  }
}

export function words(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
