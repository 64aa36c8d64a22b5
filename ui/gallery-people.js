// Drawn people for the gallery: nobody's face.

/** @typedef {{ wall: [string, string], skin: string, hair: string, clothes: string, long: boolean }} Looks */

/** @type {Looks[]} */
const people = [
  { wall: ['#bcb8aa', '#7f7b70'], skin: '#c89a78', hair: '#8f8781', clothes: '#a9c3d8', long: true },
  { wall: ['#8b9b8d', '#556558'], skin: '#c48f6b', hair: '#2b211f', clothes: '#2f6f68', long: true },
  { wall: ['#9ba6b6', '#5c6678'], skin: '#b27c5b', hair: '#1f1b1a', clothes: '#3b4d78', long: false },
  { wall: ['#c2b09a', '#86735c'], skin: '#deb08e', hair: '#5a3922', clothes: '#b5654a', long: true },
  { wall: ['#8faeb0', '#54787a'], skin: '#a9724d', hair: '#2c2320', clothes: '#e8ecee', long: false },
  { wall: ['#b1a3b6', '#716079'], skin: '#d8a988', hair: '#b9b2ac', clothes: '#6b4c7a', long: false },
];

/**
 * @param {CanvasRenderingContext2D} context @param {number} w @param {number} h
 * @param {number} who @param {number} sway from −1 to 1
 */
export function drawPerson(context, w, h, who, sway) {
  const looks = people[who % people.length];
  const wall = context.createLinearGradient(0, 0, w * 0.6, h);
  wall.addColorStop(0, looks.wall[0]);
  wall.addColorStop(1, looks.wall[1]);
  context.fillStyle = wall;
  context.fillRect(0, 0, w, h);
  // Lengths in shares of the head's width; the person fills a third of the picture.
  const u = Math.min(w * 0.19, h * 0.29);
  const x = w / 2 + sway * u * 0.12;
  const y = h * 0.46;
  context.fillStyle = looks.hair;
  if (looks.long) shape(context, [[x - u * 0.64, y - u * 0.2], [x + u * 0.64, y - u * 0.2], [x + u * 0.74, y + u * 1.15], [x - u * 0.74, y + u * 1.15]]);
  ellipse(context, x, y - u * 0.1, u * 0.66, u * 0.72);
  context.fillStyle = looks.clothes;
  context.beginPath();
  context.moveTo(w / 2 - u * 1.35, h + 2);
  context.bezierCurveTo(w / 2 - u * 1.25, y + u * 1.2, w / 2 - u * 0.5, y + u * 1.02, w / 2, y + u * 0.98);
  context.bezierCurveTo(w / 2 + u * 0.5, y + u * 1.02, w / 2 + u * 1.25, y + u * 1.2, w / 2 + u * 1.35, h + 2);
  context.fill();
  context.fillStyle = shade(looks.skin);
  ellipse(context, (x + w / 2) / 2, y + u * 0.95, u * 0.22, u * 0.28);
  context.fillRect((x + w / 2) / 2 - u * 0.22, y + u * 0.5, u * 0.44, u * 0.45);
  context.fillStyle = looks.skin;
  ellipse(context, x, y + u * 0.12, u * 0.52, u * 0.66);
  context.fillStyle = looks.hair;
  context.beginPath();
  context.ellipse(x, y - u * 0.28, u * 0.56, u * 0.46, 0, Math.PI, 2 * Math.PI);
  context.quadraticCurveTo(x + u * 0.1, y - u * 0.5, x - u * 0.56, y - u * 0.28);
  context.fill();
}

/** @param {CanvasRenderingContext2D} context @param {number} x @param {number} y @param {number} rx @param {number} ry */
function ellipse(context, x, y, rx, ry) {
  context.beginPath();
  context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
  context.fill();
}

/** @param {CanvasRenderingContext2D} context @param {[number, number][]} points */
function shape(context, points) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(x, y);
  context.closePath();
  context.fill();
}

/** @param {string} colour */
function shade(colour) {
  const value = parseInt(colour.slice(1), 16);
  const part = (/** @type {number} */ shift) => Math.round(((value >> shift) & 255) * 0.88);
  return `rgb(${part(16)} ${part(8)} ${part(0)})`;
}
