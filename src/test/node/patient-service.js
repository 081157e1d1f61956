'use strict'

// Appends to patient.events as the patient service does, with kafkajs and the registry client, and prints where each event went and
// what was sent, a JSON line each.
//
//   node patient-service.js --broker host:port --registry http://host:port/apis/ccompat/v7 --key patient-1 --type patient.merged \
//     --payload '{"mergedInto":"patient-2"}'
//
//   --payload    of an event; may be repeated
//   --metadata   fields of the metadata that differ from what the service sends at least, as JSON
//   --schema     a file whose schema the service registers and writes with; without it, it takes the latest of the subject
//   --timeout    seconds; 30 when absent
//
// Ends with 0 when the broker has acknowledged everything, 1 on failure, 2 when that took too long.

const { randomUUID } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { parseArgs } = require('node:util')
const { SchemaRegistry, SchemaType } = require('@kafkajs/confluent-schema-registry')
const { Kafka, Partitioners, logLevel } = require('kafkajs')

const { values: args } = parseArgs({
  options: {
    broker: { type: 'string' },
    registry: { type: 'string' },
    key: { type: 'string' },
    type: { type: 'string' },
    payload: { type: 'string', multiple: true, default: [] },
    metadata: { type: 'string', default: '{}' },
    schema: { type: 'string' },
    timeout: { type: 'string', default: '30' },
  },
})

const topic = 'patient.events'
const subject = 'patient-events-value'

const registry = new SchemaRegistry({ host: args.registry })
const kafka = new Kafka({ clientId: 'patient-service', brokers: [args.broker], logLevel: logLevel.WARN })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })

async function schemaId() {
  if (!args.schema) {
    return registry.getLatestSchemaId(subject)
  }
  const schema = readFileSync(args.schema, 'utf8')
  const { id } = await registry.register({ type: SchemaType.AVRO, schema }, { subject })
  return id
}

async function append(id, payload) {
  const event = {
    metadata: {
      eventId: randomUUID(),
      eventType: args.type,
      eventSource: 'patient-service',
      timestamp: Date.now(),
      ...JSON.parse(args.metadata),
    },
    payload: JSON.parse(payload),
  }
  const [{ partition, baseOffset }] = await producer.send({
    topic,
    messages: [
      {
        key: args.key,
        value: await registry.encode(id, event),
        headers: { 'event-type': args.type, 'aggregate-id': args.key },
      },
    ],
  })
  console.log(JSON.stringify({ key: args.key, partition, offset: baseOffset, schemaId: id, event }))
}

async function main() {
  await producer.connect()
  const id = await schemaId()
  for (const payload of args.payload) {
    await append(id, payload)
  }
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
