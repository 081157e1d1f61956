'use strict'

// Publishes one record with any value: what a service sends that has a bug, or that deletes. Prints where it went.
//
//   node raw-producer.js --broker host:port --topic medication.prescription.created --key rx-1 --base64 e251dA==
//
//   --base64     the value's bytes; absent: a tombstone, which has no value
//   --headers    as JSON; a list where a name comes more than once
//   --timeout    seconds; 30 when absent
//
// Ends with 0 when the broker has acknowledged the record, 1 on failure, 2 when that took too long.

const { parseArgs } = require('node:util')
const { Kafka, Partitioners, logLevel } = require('kafkajs')

const { values: args } = parseArgs({
  options: {
    broker: { type: 'string' },
    topic: { type: 'string' },
    key: { type: 'string' },
    base64: { type: 'string' },
    headers: { type: 'string', default: '{}' },
    timeout: { type: 'string', default: '30' },
  },
})

const kafka = new Kafka({ clientId: 'raw-producer', brokers: [args.broker], logLevel: logLevel.WARN })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })

async function main() {
  await producer.connect()
  const value = args.base64 === undefined ? null : Buffer.from(args.base64, 'base64')
  const [{ partition, baseOffset }] = await producer.send({
    topic: args.topic,
    messages: [{ key: args.key, value, headers: JSON.parse(args.headers) }],
  })
  console.log(JSON.stringify({ key: args.key, partition, offset: baseOffset }))
  await producer.disconnect()
}

setTimeout(() => {
  console.error(`not acknowledged within ${args.timeout} s`)
  process.exit(2)
}, Number(args.timeout) * 1000).unref()

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
