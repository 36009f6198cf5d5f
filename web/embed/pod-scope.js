// @ts-check
// <pod-scope>: a figure of the Podscope simulation in any page.
//
//   <script type="module" src="pod-scope.js"></script>
//   <pod-scope preset="birth" step="etcd" readonly></pod-scope>
//
// Attributes: preset (a name) or scenario (a scenario file's text) or manifest (YAML; or a <pre>
// child); step (a phase such as "scheduler", a number of events, a time such as "350s", or "end");
// readonly; theme (light, dark, contrast; else as the system). What stands inside the element is
// shown until the figure runs, and when it cannot.
//
// Nothing is loaded before the element nears the view. All figures of a page share one module.
// No cookies, no storage, no request to another host than this file's.

/** @typedef {{ seek(step: string): void, pause(): void, free(): void, destroy(): void }} Figure */
/** @typedef {{ default(): Promise<unknown>, podscopeFetch?(): Promise<void>, mount(...options: unknown[]): Figure }} Engine */

const TAG = 'pod-scope';
const BASE = new URL('./', import.meta.url).href;
const STYLES = ['./later.css', './page.css', './tokens.css']; // each is put before the other
const OPTIONS = ['preset', 'scenario', 'manifest', 'step', 'readonly'];

/** @type {Promise<Engine> | undefined} */
let engine;
const load = () =>
  (engine ??= import('./podscope-web.js').then(async (module) => {
    await module.default();
    await module.podscopeFetch?.(); // A figure needs parts that the page's first scene does not.
    return module;
  }));

class PodScope extends HTMLElement {
  static observedAttributes = [...OPTIONS, 'theme'];

  /** @type {Figure | undefined} */ #figure;
  /** @type {IntersectionObserver | undefined} */ #watch;
  #root = document.createElement('div');
  #seen = false;
  #turn = 0;

  constructor() {
    super();
    this.#root.className = 'pod-scope';
    this.#root.append(document.createElement('slot'));
    this.attachShadow({ mode: 'open' }).append(this.#root);
  }

  connectedCallback() {
    this.#theme();
    this.#watch = new IntersectionObserver(
      ([entry]) => {
        if (!entry) return;
        if (!entry.isIntersecting) this.#figure?.pause();
        else if (!this.#seen) {
          this.#seen = true;
          this.#draw();
        }
      },
      { rootMargin: '240px' },
    );
    this.#watch.observe(this);
    addEventListener('podscope-broken', this.#broken);
  }

  disconnectedCallback() {
    this.#watch?.disconnect();
    removeEventListener('podscope-broken', this.#broken);
    this.#clear();
    this.#seen = false;
  }

  /** @param {string} name @param {string | null} before @param {string | null} now */
  attributeChangedCallback(name, before, now) {
    if (before === now) return;
    if (name === 'theme') this.#theme();
    else if (name === 'step' && this.#figure) this.#figure.seek(now ?? '');
    else if (this.#seen) this.#draw();
  }

  #style() {
    const shadow = this.shadowRoot;
    if (!shadow || shadow.querySelector('link')) return;
    for (const href of STYLES) {
      const link = document.createElement('link');
      link.rel = 'stylesheet';
      link.href = new URL(href, BASE).href;
      shadow.prepend(link);
    }
  }

  #theme() {
    const theme = this.getAttribute('theme');
    if (theme) this.#root.dataset.theme = theme;
    else delete this.#root.dataset.theme;
  }

  #broken = () => this.#fail('The figure stopped working.');

  #clear() {
    this.#turn += 1;
    try {
      this.#figure?.destroy();
      this.#figure?.free();
    } catch {
      // The module broke before; there is nothing left to free.
    }
    this.#figure = undefined;
    this.#root.replaceChildren(document.createElement('slot'));
  }

  async #draw() {
    this.#clear();
    const turn = this.#turn;
    this.#style();
    try {
      const { mount } = await load();
      if (turn !== this.#turn || !this.isConnected) return;
      const own = document.createElement('div');
      this.#root.replaceChildren(own);
      const text = (/** @type {string} */ name) => this.getAttribute(name) ?? undefined;
      const manifest = text('manifest') ?? this.querySelector('pre')?.textContent ?? undefined;
      this.#figure = mount(
        own,
        BASE,
        text('preset'),
        text('scenario'),
        manifest,
        text('step'),
        this.hasAttribute('readonly'),
      );
      this.dispatchEvent(new CustomEvent('ready'));
    } catch (error) {
      this.#fail(`The figure could not be shown: ${error instanceof Error ? error.message : error}`);
    }
  }

  /** @param {string} reason */
  #fail(reason) {
    this.#clear();
    const note = document.createElement('p');
    note.className = 'embed-failed';
    note.setAttribute('role', 'alert');
    note.textContent = reason;
    this.#root.append(note);
  }
}

if (!customElements.get(TAG)) customElements.define(TAG, PodScope);
