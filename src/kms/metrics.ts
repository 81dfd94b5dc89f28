import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Answer } from './protocol/answer.ts'

/** One request that was answered. */
export interface Measured {
  /** `kms`, `iam`, `sts` or `cloudtrail`. */
  readonly service: string
  /** A name out of a fixed set: what strangers and mistakes call operations would make a new series each. */
  readonly operation: string
  /** `ok`, or the code of the error. */
  readonly result: string
  /** From the request's arrival to its answer. */
  readonly seconds: number
}

/** What is asked for when the metrics are read. */
export interface Readings {
  readonly auditTrailHealthy: () => boolean
  /** Records that wait to be forwarded; undefined when nothing is forwarded. */
  readonly auditForwardBacklog: () => number | undefined
}

/** What Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests = new Counter({
    name: 'strongroom_kms_requests_total',
    help: 'Requests answered, by operation and result',
    labelNames: ['service', 'operation', 'result'] as const,
    registers: [this.#registry],
  })
  readonly #durations = new Histogram({
    name: 'strongroom_kms_request_duration_seconds',
    help: 'From the arrival of a request to its answer, the record in the audit trail included',
    labelNames: ['service', 'operation'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers: [this.#registry],
  })

  constructor(readings: Readings) {
    collectDefaultMetrics({ register: this.#registry })
    this.#gauge(
      'strongroom_kms_audit_trail_healthy',
      '1 while the audit trail can be written, 0 while requests fail',
      () => (readings.auditTrailHealthy() ? 1 : 0),
    )
    this.#gauge(
      'strongroom_kms_audit_forward_backlog',
      'Records of the audit trail that wait to be forwarded',
      readings.auditForwardBacklog,
    )
  }

  note({ service, operation, result, seconds }: Measured): void {
    this.#requests.inc({ service, operation, result })
    this.#durations.observe({ service, operation }, seconds)
  }

  async page(): Promise<Answer> {
    return { status: 200, contentType: this.#registry.contentType, body: await this.#registry.metrics() }
  }

  #gauge(name: string, help: string, read: () => number | undefined): void {
    const gauge = new Gauge({
      name,
      help,
      registers: [this.#registry],
      collect() {
        const value = read()
        if (value === undefined) gauge.reset()
        else gauge.set(value)
      },
    })
  }
}
