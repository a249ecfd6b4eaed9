import { createInterface } from "node:readline";

/** Obeys `{"op": name, …}` lines on stdin until they end: each is answered by `{"result": …}` or `{"error": …}` on stdout. */
export async function answerLines(operations) {
  for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
      const command = JSON.parse(line);
      answer = { result: (await operations[command.op](command)) ?? null };
    } catch (error) {
      answer = { error: { name: error.name, code: error.code ?? null, message: error.message } };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
