// The reader's changes, in localStorage: a key for each cell that was changed.

export class Kept {
  #prefix;
  works = true; // until the browser refuses to keep something

  constructor(prefix) {
    this.#prefix = prefix;
  }

  /** {code, book} of a cell, where book is the hash of the code that was changed; null if there is none. */
  get(id) {
    try {
      const { code, book } = JSON.parse(localStorage.getItem(this.#prefix + id));
      return typeof code === "string" ? { code, book } : null;
    } catch {
      return null;
    }
  }

  set(id, code, book) {
    try {
      localStorage.setItem(this.#prefix + id, JSON.stringify({ code, book }));
      this.works = true;
    } catch {
      this.works = false; // blocked, or full: the change holds until the page is left
    }
  }

  drop(id) {
    try {
      localStorage.removeItem(this.#prefix + id);
    } catch {
      // nothing was kept
    }
  }
}
