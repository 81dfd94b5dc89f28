/** Rule K8: two seconds, less what a busy machine needs to send the answer (milliseconds). */
export const answerWithin = 1800
