// SPDX-License-Identifier: Apache-2.0
const data = JSON.parse(document.getElementById('data').textContent);

// ---- elements -------------------------------------------------------------------------------

const is_absent = (value) => value === null || value === undefined || value === false;
/// Attributes and children for a node; an attribute that is a function listens to the event of that name.
function fill(node, attributes, ...children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (!is_absent(value)) node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => !is_absent(child)));
  return node;
}
const element = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const drawing = (name, attributes, ...children) =>
  fill(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
const div = (attributes, ...children) => element('div', attributes, ...children);
const span = (attributes, ...children) => element('span', attributes, ...children);
const paragraph = (...children) => element('p', null, ...children);
const remark = (...children) => element('p', {class: 'muted'}, ...children);
const key_of = (colour, ...children) => span({class: 'key', style: `--key:${colour}`}, ...children);
/// A panel with a heading; a group of what there is, or nothing.
const section = (id, title, ...children) => element('section', {id}, element('h2', null, title), ...children);
function group(name, ...members) {
  const shown = members.flat().filter((member) => !is_absent(member));
  return shown.length > 0 ? div({class: name}, shown) : null;
}

const button = (text, action, title) => element('button', {type: 'button', title, click: action}, text);
function chooser(name, labels, chosen, action) {
  const options = labels.map((label, i) => element('option', {value: i, selected: i === chosen}, label));
  const change = (event) => action(Number(event.target.value));
  return element('label', null, name + ' ', element('select', {change}, options));
}
function check(name, action) {
  const change = (event) => action(event.target.checked);
  return element('label', null, element('input', {type: 'checkbox', change}), ' ' + name);
}

// ---- numbers and units ----------------------------------------------------------------------

const kPrefixes = [
  [1e15, 'P'], [1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k'],
  [1, ''], [1e-3, 'm'], [1e-6, 'µ'], [1e-9, 'n'], [1e-12, 'p'],
];
const kScaledUnits = new Set(['s', 'W', 'J', 'B', 'Hz', 'B/s', 'bit/s', 'FLOP/s', 'wavelet-hops/s']);
const kShortUnits = {C: '°C', 'wavelet-hops/s': 'hops/s', '1': '%'};

const is_number = (value) => typeof value === 'number' && Number.isFinite(value);
const sum = (values) => values.reduce((a, b) => a + b, 0);
/// Least and greatest of numbers.
const range_of = (values) =>
  values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
const share_in = ([low, high], value) => (high > low ? (value - low) / (high - low) : 0.5);

const exact = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
const percent = (share, decimals = 1) => (share * 100).toFixed(decimals) + '\u00a0%';
function digits(value, significant = 4) {
  if (!value || !Number.isFinite(value)) return value === 0 ? '0' : '–';
  const decimals = significant - 1 - Math.floor(Math.log10(Math.abs(value)));
  return value.toLocaleString('en-US', {maximumFractionDigits: Math.min(Math.max(decimals, 0), 15)});
}
/// Factor and name of the unit in which a value is easy to read.
function scaled_unit(value, unit) {
  const name = kShortUnits[unit] || unit || '';
  if (unit === '1') return [0.01, name];
  if (!kScaledUnits.has(unit) || !value) return [1, name];
  const [factor, prefix] = kPrefixes.find(([f]) => Math.abs(value) >= f) || kPrefixes.at(-1);
  return [factor, prefix + name];
}
function quantity(value, unit) {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number') return String(value ?? '–');
  if (unit === '1') return percent(value);
  if (unit === 'C') return value.toFixed(1) + '\u00a0°C';
  const [factor, name] = scaled_unit(value, unit);
  return digits(value / factor) + (name ? '\u00a0' + name : '');
}
/// Low, middle and high end of a range in one unit, which the middle shows.
function range_labels([low, high], unit) {
  const [factor, name] = scaled_unit(high, unit);
  const [first, middle, last] = [low, (low + high) / 2, high].map((value) => digits(value / factor, 3));
  return [first, `${middle}\u00a0${name}`, last];
}
const words = (name) => name.replace(/_/g, ' ');
/// A round distance of about count ticks.
function nice_step(range, count) {
  const raw = range / count, power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((f) => f * power).find((step) => step >= raw * 0.999);
}

// ---- colours --------------------------------------------------------------------------------

const kViridis = ['#440154', '#472d7b', '#3b528b', '#2c728e', '#21918c', '#28ae80', '#5ec962', '#addc30', '#fde725'];

function colour(scale, share) {
  const place = Math.min(Math.max(share, 0), 1) * (scale.length - 1);
  const i = Math.min(Math.floor(place), scale.length - 2);
  const part = (stop, at) => parseInt(stop.slice(at, at + 2), 16);
  const mix = (at) => Math.round(part(scale[i], at) + (part(scale[i + 1], at) - part(scale[i], at)) * (place - i));
  return `rgb(${mix(1)},${mix(3)},${mix(5)})`;
}

// ---- what a thing under the pointer, finger or focus is -------------------------------------

const tip = document.getElementById('tip');

function show_tip(x, y, title, rows) {
  tip.replaceChildren(element('b', null, title), ...rows.map((row) => div(null, row.map((text) => span(null, text)))));
  tip.hidden = false;
  const most_left = document.documentElement.clientWidth - tip.offsetWidth - 4;
  const left = Math.max(4, Math.min(x + 14, most_left));
  const top = y + 18 + tip.offsetHeight > innerHeight ? y - tip.offsetHeight - 10 : y + 18;
  tip.style.transform = `translate(${left}px, ${Math.max(4, top)}px)`;
}
function hide_tip() { tip.hidden = true; }
document.addEventListener('keydown', (event) => { if (event.key === 'Escape') hide_tip(); });
document.addEventListener('pointerdown', hide_tip);
document.addEventListener('scroll', hide_tip, {passive: true});

/// The item takes over the tab stop of its group: arrow keys walk, columns apart up and down.
function walk(items, item, event, columns) {
  const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns}[event.key];
  const next = step && items[items.indexOf(item) + step];
  if (!next) return;
  event.preventDefault();
  item.setAttribute('tabindex', -1);
  next.setAttribute('tabindex', 0);
  next.focus();
}
/// Items of a box explain themselves: describe(item) gives [title, rows]; chosen(item or null) follows.
/// A tip stays until the event end of the box, which pointerout sends at each item.
function explain(box, selector, describe, {chosen = () => {}, columns = 1, end = 'pointerleave'} = {}) {
  const items = [...box.querySelectorAll(selector)];
  items.forEach((item, i) => item.setAttribute('tabindex', i === 0 ? 0 : -1));
  const show = (item, x, y) => {
    show_tip(x, y, ...describe(item));
    chosen(item);
  };
  const hide = () => {
    hide_tip();
    chosen(null);
  };
  const with_item = (action) => (event) => {
    const item = event.target.closest(selector);
    if (item) action(item, event);
  };
  const at_pointer = with_item((item, event) => show(item, event.clientX, event.clientY));
  const at_focus = with_item((item) => {
    const {left, top, width, height} = item.getBoundingClientRect();
    show(item, left + width / 2, top + height / 2);
  });
  const keydown = with_item((item, event) => walk(items, item, event, columns));
  fill(box, {pointermove: at_pointer, click: at_pointer, [end]: hide, focusin: at_focus, focusout: hide, keydown});
}
