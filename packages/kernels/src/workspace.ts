/**
 * The one WebAssembly memory that all kernels of this package work in. Calls are synchronous and none keeps anything in it,
 * so each call lays out its arrays from address 0 anew. It grows as calls need it; a memory that a large call left behind
 * is dropped at the next call that needs little.
 * @module
 */
import { KernelError } from "./error.ts";

const PAGE = 65536;
/** A memory larger than this is not kept for small calls. */
const KEEP_BYTES = 64 << 20;
/** WebAssembly addresses are 32 bits wide. */
const MOST_BYTES = 2 ** 32;

/** Data moves through memory in slabs of about this size, so that they stay in the processor's cache. */
export const SLAB_BYTES: number = 256 * 1024;

let memory: WebAssembly.Memory | undefined;
const modules = new Map<string, WebAssembly.Module>();
let instances = new Map<string, WebAssembly.Exports>();

/** The exports of a kernel on a memory of at least `bytes` bytes. `wasm` is its binary in base64, compiled once. */
export function kernel<Exports>(wasm: string, bytes: number): Exports {
  reserve(bytes);
  let exports = instances.get(wasm);
  if (exports === undefined) {
    exports = new WebAssembly.Instance(moduleOf(wasm), { env: { memory: memory! } }).exports;
    instances.set(wasm, exports);
  }
  return exports as Exports;
}

/** A kernel on a memory of its own. */
export interface OwnKernel<Exports> {
  readonly wasm: Exports;
  /** Zeros when it is handed out, from address 0 on; as many bytes as were asked for, or more. */
  readonly heap: Uint8Array;
  /** Lets the next own kernel have the memory, which must not be touched any more. Without it, the memory goes when it is dropped. */
  readonly release: () => void;
}

/**
 * The memory released last, for as long as the engine has not collected it: work that runs kernels one after the other takes one
 * memory and not as many as fit between two collections, and what is idle can go.
 */
let released: WeakRef<WebAssembly.Memory> | undefined;

/** A kernel for work that pauses: other calls may run in between. */
export function ownKernel<Exports>(wasm: string, bytes: number): OwnKernel<Exports> {
  if (bytes > MOST_BYTES) throw outOfMemory(bytes);
  const memory = ownMemory(Math.max(1, Math.ceil(bytes / PAGE)));
  const { exports } = new WebAssembly.Instance(moduleOf(wasm), { env: { memory } });
  const release = (): void => {
    released = new WeakRef(memory);
  };
  return { wasm: exports as Exports, heap: new Uint8Array(memory.buffer), release };
}

function ownMemory(pages: number): WebAssembly.Memory {
  const used = released?.deref();
  released = undefined;
  try {
    if (used === undefined) return new WebAssembly.Memory({ initial: pages });
    const have = used.buffer.byteLength / PAGE;
    new Uint8Array(used.buffer, 0, Math.min(have, pages) * PAGE).fill(0);
    if (have < pages) used.grow(pages - have);
    return used;
  } catch (cause) {
    throw outOfMemory(pages * PAGE, cause);
  }
}

function moduleOf(wasm: string): WebAssembly.Module {
  let module = modules.get(wasm);
  if (module === undefined) {
    module = new WebAssembly.Module(Uint8Array.from(atob(wasm), (character) => character.charCodeAt(0)));
    modules.set(wasm, module);
  }
  return module;
}

/** The memory's bytes now. Any kernel call may grow the memory, and a view taken before is empty then. */
export function heap(): Uint8Array {
  return new Uint8Array(memory!.buffer);
}

/** `address` rounded up so that vectors lie well. */
export function align(address: number): number {
  return Math.ceil(address / 16) * 16;
}

/** The bytes under a typed array, shared and not copied. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** The error for a kernel that reported the end of memory. */
export function outOfMemory(bytes: number, cause?: unknown): KernelError {
  const message = `the kernel needs about ${bytes} bytes of WebAssembly memory, which the engine did not give; use smaller blocks`;
  return new KernelError("OUT_OF_MEMORY", message, { bytes }, { cause });
}

function reserve(bytes: number): void {
  const have = memory?.buffer.byteLength ?? 0;
  if (memory === undefined || (have > KEEP_BYTES && bytes <= KEEP_BYTES)) {
    memory = new WebAssembly.Memory({ initial: 16 });
    instances = new Map();
  }
  const missing = bytes - memory.buffer.byteLength;
  if (missing <= 0) return;
  if (bytes > MOST_BYTES) throw outOfMemory(bytes);
  try {
    memory.grow(Math.ceil(missing / PAGE));
  } catch (cause) {
    throw outOfMemory(bytes, cause);
  }
}
