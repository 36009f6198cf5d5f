
// The second part of the module: fetched at the first sign of use, or when something calls into it.
const podscopeLater = new URL('podscope-web_later.wasm', import.meta.url);
let podscopeComing;
let podscopeStyled;

// The styles of what the first scene does not show. A figure in somebody's page sees to its own.
function podscopeStyle() {
    if (!document.getElementById('podscope-page')) return undefined;
    return podscopeStyled ??= new Promise((done) => {
        const link = document.createElement('link');
        link.rel = 'stylesheet';
        link.href = new URL('later.css', import.meta.url);
        link.onload = link.onerror = done;
        document.head.append(link);
    });
}

// For a page that opens in the middle: what it needs at once is there before it starts.
let podscopeBytes;
export async function podscopeAhead() {
    const fetched = fetch(podscopeLater).then((response) => response.arrayBuffer());
    [podscopeBytes] = await Promise.all([fetched, podscopeStyle()]);
}

function podscopeJoin(module) {
    if (wasm.podscope_ready.value === 1) return;
    new WebAssembly.Instance(module, { podscope: wasm });
    wasm.podscope_ready.value = 1;
    document.documentElement.dataset.later = 'here';
}

// Called from the module, which cannot go on without the second part: it waits here.
function podscopeLoad() {
    podscopeStyle();
    try {
        podscopeWait();
    } catch (error) {
        document.documentElement.dataset.later = 'failed'; // The page's style sees it.
        throw error;
    }
}

function podscopeWait() {
    if (podscopeBytes) return podscopeJoin(new WebAssembly.Module(podscopeBytes));
    const request = new XMLHttpRequest();
    request.open('GET', podscopeLater, false);
    // One character a byte: a waiting request may not ask for bytes.
    request.overrideMimeType('text/plain; charset=x-user-defined');
    request.send();
    if (request.status !== 200) throw new Error(`${podscopeLater}: status ${request.status}`);
    const text = request.responseText;
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
    podscopeJoin(new WebAssembly.Module(bytes));
}

export function podscopeFetch() {
    const styled = podscopeStyle();
    return podscopeComing ??= fetch(podscopeLater)
        .then((response) => response.arrayBuffer())
        .then((bytes) => WebAssembly.compile(bytes))
        .then((module) => Promise.all([module, styled]))
        .then(([module]) => podscopeJoin(module))
        .then(podscopeReplay)
        .catch(podscopeFailed);
}

// What a person does before the second part is there waits for it, and is done then. What only passes
// by is forgotten.
const podscopeHeld = [];
const PODSCOPE_PASSING = /move|over|out|enter|leave|wheel|scroll|touch/;

function podscopeGuard(event) {
    if (wasm.podscope_ready.value === 1) return;
    const { type } = event;
    const target = event.composedPath()[0];
    event.stopImmediatePropagation();
    if (type === 'click' || type === 'submit') event.preventDefault(); // It comes again.
    // Typing goes into the text by itself.
    const typing = type === 'keydown' && target.matches?.('input,textarea,select') && !event.ctrlKey && !event.metaKey;
    if (!PODSCOPE_PASSING.test(type) && !typing) {
        podscopeHeld.push([target, new event.constructor(type, event)]);
        document.documentElement.dataset.later = 'coming'; // The page's style sees it.
    }
    podscopeFetch();
}

function podscopeReplay() {
    for (const [target, event] of podscopeHeld.splice(0)) target.dispatchEvent(event);
}

function podscopeFailed(error) {
    podscopeComing = undefined; // The next sign, or the next call, tries again.
    if (wasm.podscope_ready.value === 1) throw error;
    if (podscopeHeld.length) document.documentElement.dataset.later = 'failed';
    // A click may be forgotten, a typed text may not.
    const kept = podscopeHeld.filter(([, event]) => event.type === 'input' || event.type === 'change');
    podscopeHeld.splice(0, Infinity, ...kept);
}

async function podscopeStart(module_or_path) {
    if (!document.getElementById('podscope-page')) return __wbg_init(module_or_path);
    // Every kind of event that the program listens to is held.
    const types = new Set(['pointermove', 'touchstart', 'wheel', 'focusin']);
    const { prototype } = EventTarget;
    const listen = prototype.addEventListener;
    prototype.addEventListener = function (type, ...rest) {
        types.add(type);
        return listen.call(this, type, ...rest);
    };
    try {
        return await __wbg_init(module_or_path);
    } finally {
        prototype.addEventListener = listen;
        for (const type of types) {
            addEventListener(type, podscopeGuard, { capture: true, passive: PODSCOPE_PASSING.test(type) });
        }
    }
}
