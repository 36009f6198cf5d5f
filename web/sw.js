// Makes the page work offline after the first visit. The build writes the list of files.
//
// Files with a hash in their name never change: the kept copy is as good as the host's. The page itself
// is asked of the host first, so that a new version is seen at once; without a connection the kept one
// answers. Nothing else is kept, and nothing of another host is touched.

const FILES = [];
const CACHE = 'podscope-0';
const PAGE = './';

const fill = async () => {
  const cache = await caches.open(CACHE);
  const keep = async (file) => {
    // What the visit has loaded already is not asked for again.
    const response = await fetch(file, { cache: file === PAGE ? 'no-cache' : 'force-cache' });
    if (!response.ok) throw new Error(`${file}: status ${response.status}`);
    await cache.put(file, response);
  };
  await Promise.all(FILES.map(keep));
};

const forget = async () => {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith('podscope-') && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
};

const isPage = (url) => [PAGE, './index.html'].some((page) => new URL(page, self.location).pathname === url.pathname);
const isKept = (url) => FILES.some((file) => new URL(file, self.location).pathname === url.pathname);

const answer = async (request, url) => {
  const cache = await caches.open(CACHE);
  if (!isPage(url)) return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await cache.match(PAGE);
    if (kept) return kept;
    throw error;
  }
};

self.addEventListener('install', (event) => event.waitUntil(fill()));
self.addEventListener('activate', (event) => event.waitUntil(forget()));
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (isPage(url) || isKept(url)) event.respondWith(answer(event.request, url));
});
