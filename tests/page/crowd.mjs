// Scenarios with many nodes and Pods, for tests and measurements; none is among the presets.

import { engineRunning, open } from './browser.mjs';

/** A scenario file: `nodes` workers in three zones, one Deployment of `pods` replicas. */
export function crowd(nodes, pods) {
  const zones = [1, 2, 3].map((zone) => {
    const count = Math.floor(nodes / 3) + (zone <= nodes % 3 ? 1 : 0);
    return { zone, count };
  });
  let next = 1;
  const list = zones.flatMap(({ zone, count }) =>
    Array.from({ length: count }, () => `  - {name: node-${next++}, zone: zone-${zone}, images: ["nginx:1.25"]}`));
  return `podscope: 1
title: A crowd
cluster:
  nodes:
${list.join('\n')}
files:
- name: web.yaml
  text: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      replicas: ${pods}
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers:
          - name: web
            image: nginx:1.25
            resources: {requests: {cpu: 50m, memory: 64Mi}}
commands:
- at: 1ms
  kubectl: apply -f web.yaml
`;
}

/** Opens the page with a scenario file, as after a reload. */
export async function openScenario(browser, site, text, options = {}) {
  const { page, faults } = await open(browser, site.url, options);
  await engineRunning(page);
  await reopen(page, site, text);
  return { page, faults };
}

/** Opens a scenario file in a page that is there. */
export async function reopen(page, site, text) {
  await page.evaluate((work) => sessionStorage.setItem('podscope.work', work), text);
  await page.goto(new URL('?again', site.url).href);
  await engineRunning(page);
}

/** A scenario file: so many nodes of four kinds, and a Pod that fits on none of them. */
export function misfit(nodes) {
  const list = Array.from({ length: nodes }, (_, i) => {
    const zone = `zone-${(i % 3) + 1}`;
    const kind = ['cpu: "2"', 'taints: ["dedicated=gpu:NoSchedule"]', 'labels: [disk=hdd]', 'cpu: 1500m'][i % 4];
    return `  - {name: node-${i + 1}, zone: ${zone}, ${kind}, images: ["nginx:1.25"]}`;
  });
  return `podscope: 1
title: A Pod that fits nowhere
cluster:
  nodes:
${list.join('\n')}
files:
- name: big.yaml
  text: |
    apiVersion: v1
    kind: Pod
    metadata: {name: big}
    spec:
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
            - matchExpressions:
              - {key: disk, operator: NotIn, values: [hdd]}
      containers:
      - name: app
        image: nginx:1.25
        resources: {requests: {cpu: "3", memory: 64Mi}}
commands:
- at: 1ms
  kubectl: apply -f big.yaml
`;
}
