export const kernels: string[];
export function buildKernel(kernel: string): Promise<string>;
