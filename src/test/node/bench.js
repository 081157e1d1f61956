'use strict'

// A side of the bench (bench/README.md): consumes, transforms and produces with kafkajs, as fast as possible.
//
//   node bench.js --broker host:port --mode eachMessage|eachBatch
//
// Standard output: "ready". Standard input: a line "start <source topic> <sink topic> <group>", then "stop", once per round.

const { createInterface } = require('node:readline')
const { parseArgs } = require('node:util')
const { Kafka, Partitioners, logLevel } = require('kafkajs')

const { values: args } = parseArgs({ options: { broker: { type: 'string' }, mode: { type: 'string' } } })

const kafka = new Kafka({ clientId: 'bench', brokers: [args.broker], logLevel: logLevel.ERROR })
let consumer
let producer

function transform(message, sink, source) {
  try {
    const event = JSON.parse(message.value.toString())
    event.payload.status = 'requested'
    return [sink, { key: message.key, value: JSON.stringify(event) }]
  } catch (error) {
    const { key, value } = message
    return [`${source}.dlq`, { key, value, headers: { 'error-message': error.name } }]
  }
}

async function start(source, sink, group) {
  producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner, idempotent: false })
  consumer = kafka.consumer({ groupId: group })
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topic: source, fromBeginning: true })
  const eachMessage = async ({ message }) => {
    const [topic, record] = transform(message, sink, source)
    await producer.send({ topic, acks: -1, messages: [record] })
  }
  const eachBatch = async ({ batch }) => {
    const byTopic = new Map()
    for (const message of batch.messages) {
      const [topic, record] = transform(message, sink, source)
      if (!byTopic.has(topic)) {
        byTopic.set(topic, [])
      }
      byTopic.get(topic).push(record)
    }
    await producer.sendBatch({
      acks: -1,
      topicMessages: [...byTopic].map(([topic, messages]) => ({ topic, messages })),
    })
  }
  await consumer.run({
    partitionsConsumedConcurrently: 6,
    autoCommitInterval: 500,
    ...(args.mode === 'eachBatch' ? { eachBatch } : { eachMessage }),
  })
}

async function stop() {
  await consumer.disconnect()
  await producer.disconnect()
}

async function main() {
  console.log('ready')
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, ...rest] = line.split(' ')
    await (command === 'start' ? start(...rest) : stop())
  }
  process.exit(0)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
