// The page for iframes: the address's query becomes the figure's attributes.
//   embed.html?preset=birth&step=etcd&readonly&theme=dark
const figure = document.createElement('pod-scope');
for (const [name, value] of new URLSearchParams(location.search)) {
  if (['preset', 'scenario', 'manifest', 'step', 'readonly', 'theme'].includes(name)) {
    figure.setAttribute(name, value);
  }
}
document.querySelector('main')?.append(figure);
