'use strict'

// Reads a topic from its beginning, in a group of its own, and prints the records it looks for, a JSON line each:
// {key, partition, offset, headers, base64, sha256, event}; event only when the value is JSON, or can be decoded with the registry.
// Headers have to be text.
//
//   node consumer.js --broker host:port --topic medication.prescription.created --group pharmacy-2 --prefix rx- --count 3
//
//   --prefix     of the keys to look for
//   --registry   URL of the schema registry, for a topic of Avro values
//   --count      how many records to see before the end
//   --timeout    seconds; 60 when absent
//
// Ends with 0 when it has seen that many, 1 on failure, 2 when it has not seen them in time. Then says on stderr how many
// gzip batches it has unpacked.

const { createHash } = require('node:crypto')
const { parseArgs } = require('node:util')
const { SchemaRegistry } = require('@kafkajs/confluent-schema-registry')
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')

const { values: args } = parseArgs({
  options: {
    broker: { type: 'string' },
    topic: { type: 'string' },
    group: { type: 'string' },
    prefix: { type: 'string', default: '' },
    registry: { type: 'string' },
    count: { type: 'string' },
    timeout: { type: 'string', default: '60' },
  },
})

let seen = 0
let gzipBatches = 0

const gzip = CompressionCodecs[CompressionTypes.GZIP]()
CompressionCodecs[CompressionTypes.GZIP] = () => ({
  compress: gzip.compress,
  decompress(buffer) {
    gzipBatches++
    return gzip.decompress(buffer)
  },
})

const kafka = new Kafka({ clientId: args.group, brokers: [args.broker], logLevel: logLevel.WARN })
const consumer = kafka.consumer({ groupId: args.group })

const utf8 = new TextDecoder('utf-8', { fatal: true })
const text = (value) => (Array.isArray(value) ? value.map(text) : value == null ? null : utf8.decode(value))

const registry = args.registry && new SchemaRegistry({ host: args.registry })

async function print(partition, message) {
  const { key, value, offset } = message
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, text(value)]))
  const line = { key: text(key), partition, offset, headers, base64: null, sha256: null }
  if (value !== null) {
    line.base64 = value.toString('base64')
    line.sha256 = createHash('sha256').update(value).digest('hex')
    try {
      line.event = registry ? await registry.decode(value) : JSON.parse(utf8.decode(value))
    } catch {
      // no event: the bytes have to do
    }
  }
  console.log(JSON.stringify(line))
}

async function main() {
  await consumer.connect()
  await consumer.subscribe({ topic: args.topic, fromBeginning: true })
  await new Promise((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ partition, message }) => {
          try {
            if (seen < Number(args.count) && message.key?.toString().startsWith(args.prefix)) {
              await print(partition, message)
              seen++
            }
          } catch (error) {
            reject(error)
          }
          if (seen === Number(args.count)) {
            resolve()
          }
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  console.error(`unpacked ${gzipBatches} gzip batches`)
}

setTimeout(() => {
  console.error(`saw ${seen} of ${args.count} records within ${args.timeout} s`)
  process.exit(2)
}, Number(args.timeout) * 1000).unref()

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
