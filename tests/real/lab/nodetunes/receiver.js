// nodetunes as a receiver of the lab: node receiver.js FOLDER PLACE NAME [PASSWORD]
//
// FOLDER holds the packages. PCM goes to standard output, what happens to standard error. The two
// parts that must be compiled are replaced: libalac by the same codec in JavaScript, and mdns by
// avahi-publish-service.
'use strict';

const { spawn } = require('child_process');
const crypto = require('crypto');
const Module = require('module');
const path = require('path');
const { Transform } = require('stream');

const [folder, place, name, password] = process.argv.slice(2);
const packages = Module.createRequire(path.resolve(folder, 'package.json'));

// Decodes one packet that is whole, which nodetunes writes as it came.
function decodePacket(alac, packet) {
  alac.bitstream = new (packages('av').Bitstream)(packages('av').Stream.fromBuffer(avBuffer(packet)));
  alac.stream = alac.bitstream.stream;
  const pcm = alac.readChunk();
  return Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
}

function avBuffer(bytes) {
  return new (packages('av').Buffer)(new Uint8Array(bytes));
}

const libalac = {
  decoder(options) {
    const alac = Object.create(packages('alac').prototype);
    alac.format = { bitsPerChannel: options.bitDepth };
    alac.setCookie(avBuffer(options.cookie));
    const decoder = new Transform({
      transform(packet, encoding, done) {
        done(null, decodePacket(alac, packet));
      },
    });
    decoder.packets = () => {};
    return decoder;
  },
};

const mdns = {
  tcp: (type) => `_${type}._tcp`,
  createAdvertisement(type, port, { name: instance, txtRecord }) {
    const txt = Object.entries(txtRecord).map(([key, value]) => `${key}=${value}`);
    spawn('avahi-publish-service', [instance, type, port, ...txt], { stdio: ['ignore', 2, 2] });
  },
};

const load = Module._load;
Module._load = (request, ...rest) => ({ libalac, mdns })[request] ?? load(request, ...rest);

// It holds the key as a string of bytes, as Node.js 0.12 took it.
const { createDecipheriv } = crypto;
crypto.createDecipheriv = (cipher, key, iv) => createDecipheriv(cipher, Buffer.from(key, 'latin1'), iv);

// Its UDP ports are drawn at random without a look at which are free: avahi's is in their range.
let drawn = 0;
Math.random = () => 0.2 + (drawn++ % 4000) / 5000;

const NodeTunes = packages('nodetunes');
const options = { serverName: name, macAddress: `02AE0000000${place}`, verbose: true };
if (password) options.password = password;
const server = new NodeTunes(options);
server.on('clientConnected', (stream) => stream.pipe(process.stdout, { end: false }));
for (const event of ['volumeChange', 'metadataChange', 'progressChange', 'error']) {
  server.on(event, (value) => console.error(event, JSON.stringify(value)));
}
server.start();
