'use strict'

// Publishes prescriptions as the medication service does, and prints where each went and what was sent, a JSON line each.
//
//   node medication-service.js --broker host:port --topic medication.prescription.created --patient patient-1 --id rx-1
//
//   --id         of a prescription, the record's key; may be repeated
//   --payload    fields of the prescription that differ from the sample, as JSON
//   --metadata   fields of the metadata that differ from what the service sends at least, as JSON
//   --times      how often each event is sent, as a service does that missed the acknowledgement; 1 when absent
//   --timeout    seconds; 30 when absent
//
// Ends with 0 when the broker has acknowledged everything, 1 on failure, 2 when that took too long.

const { randomUUID } = require('node:crypto')
const { parseArgs } = require('node:util')
const { Kafka, Partitioners, logLevel } = require('kafkajs')

const { values: args } = parseArgs({
  options: {
    broker: { type: 'string' },
    topic: { type: 'string' },
    patient: { type: 'string' },
    id: { type: 'string', multiple: true, default: [] },
    payload: { type: 'string', default: '{}' },
    metadata: { type: 'string', default: '{}' },
    times: { type: 'string', default: '1' },
    timeout: { type: 'string', default: '30' },
  },
})

const prescription = (id) => ({
  id,
  patientId: args.patient,
  prescriberId: null,
  medication: { name: 'Amoxicilline à 500 mg, gélule', ndc: null, rxnorm: '308192' },
  quantity: 21,
  daysSupply: 7,
  refills: null,
  dosageInstruction: 'Une gélule matin et soir, « à jeun » 💊',
  pharmacyId: null,
  substitutionAllowed: true,
  prescriber: { name: 'Dr Zoë Müller', phones: [] },
  ...JSON.parse(args.payload),
})

const event = (id) => ({
  metadata: {
    eventId: randomUUID(),
    eventType: args.topic,
    eventSource: 'medication-service',
    timestamp: Date.now(),
    ...JSON.parse(args.metadata),
  },
  payload: prescription(id),
})

const kafka = new Kafka({ clientId: 'medication-service', brokers: [args.broker], logLevel: logLevel.WARN })
const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })

async function publish(event) {
  const [{ partition, baseOffset }] = await producer.send({
    topic: args.topic,
    messages: [
      {
        key: event.payload.id,
        value: JSON.stringify(event),
        headers: {
          'content-type': 'application/json',
          'event-source': event.metadata.eventSource,
          'event-type': event.metadata.eventType,
        },
      },
    ],
  })
  console.log(JSON.stringify({ key: event.payload.id, partition, offset: baseOffset, event }))
}

async function main() {
  await producer.connect()
  for (const prescribed of args.id.map(event)) {
    for (let time = 0; time < Number(args.times); time++) {
      await publish(prescribed)
    }
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
