/**
 * One chunk: voxels to stored bytes and back, for every encoding. Pure functions without a store, so that workers and
 * servers can use them alone. Decoders bound every length before they allocate.
 * @module
 */
import type { Box, Xyz } from "./chunk-grid.ts";
import {
  decodeCompressedSegmentation,
  decodeCompressedSegmentationRow,
  encodeCompressedSegmentation,
  encodeCompressedSegmentationPieces,
  maxCompressedSegmentationBytes,
} from "./codecs/compressed-segmentation.ts";
import { decodeCompresso } from "./codecs/compresso.ts";
import type { PixelArray } from "./codecs/image.ts";
import { decodeJpeg, encodeJpeg } from "./codecs/jpeg.ts";
import { type EncodedChunk, type FillPiece, filledWhole, type TakePiece, takeWhole } from "./codecs/piece.ts";
import { decodePng, encodePng } from "./codecs/png.ts";
import { decodeRaw, encodeRaw, encodeRawPieces, viewRaw } from "./codecs/raw.ts";
import { bytesPerVoxel, type ChunkArray, checkVoxels, type DataType } from "./data-type.ts";
import { corrupt, isPrecomputedError, PrecomputedError } from "./errors.ts";
import { ENCODINGS, type PrecomputedInfo, type ScaleInfo } from "./info.ts";

export type { ChunkPiece, EncodedChunk, FillPiece, TakePiece } from "./codecs/piece.ts";

/** All that decides how the chunks of a scale are encoded. Plain data. */
export interface ChunkFormat {
  readonly encoding: ScaleInfo["encoding"];
  readonly dataType: DataType;
  readonly channels: number;
  /** Only for, and needed by, `compressed_segmentation`. */
  readonly blockSize?: Xyz | undefined;
  readonly jpegQuality?: number | undefined;
  readonly pngLevel?: number | undefined;
}

/** The format of the chunks of one scale of `info`. */
export function chunkFormat(info: PrecomputedInfo, scale: ScaleInfo): ChunkFormat {
  return {
    encoding: scale.encoding,
    dataType: info.data_type,
    channels: info.num_channels,
    blockSize: scale.compressed_segmentation_block_size,
    jpegQuality: scale.jpeg_quality,
    pngLevel: scale.png_level,
  };
}

/**
 * Encodes the voxels of one chunk.
 *
 * @param size voxels of this chunk in x, y, z: truncated at the volume's edge
 * @param data x fastest, then y, z, channel; the array type of `format.dataType`
 */
export async function encodeChunk(format: ChunkFormat, size: Xyz, data: ChunkArray): Promise<Uint8Array> {
  const { encoding, dataType, channels } = format;
  checkVoxels(dataType, voxelCount(size) * channels, data);
  switch (encoding) {
    case "raw":
      return encodeRaw(data);
    case "compressed_segmentation":
      return encodeCompressedSegmentation(data, size, channels, blockSize(format));
    case "png":
      return encodePng(data as PixelArray, size, channels, format.pngLevel);
    case "jpeg":
      return encodeJpeg(data as Uint8Array, size, channels, format.jpegQuality);
    case "compresso":
      throw new PrecomputedError(
        "UNSUPPORTED",
        "compresso chunks can be read, not written; write compressed_segmentation",
      );
    default:
      throw unknownEncoding(encoding);
  }
}

/** Decodes one chunk; see {@link encodeChunk}. CORRUPT when the bytes are no such chunk. */
export async function decodeChunk(format: ChunkFormat, size: Xyz, bytes: Uint8Array): Promise<ChunkArray> {
  const { encoding, dataType, channels } = format;
  switch (encoding) {
    case "raw":
      return decodeRaw(bytes, dataType, voxelCount(size) * channels);
    case "compressed_segmentation":
      return decodeCompressedSegmentation(bytes, dataType, size, channels, blockSize(format));
    case "png":
      return decodePng(bytes, size, channels, bytesPerVoxel(dataType) as 1 | 2);
    case "jpeg":
      return decodeJpeg(bytes, size, channels);
    case "compresso":
      return decodeCompresso(bytes, dataType, size);
    default:
      throw unknownEncoding(encoding);
  }
}

/**
 * Decodes chunks that lie side by side along x (or one chunk) into the caller's own arrays: `take` gets dense pieces that
 * together hold every voxel of `within` (and perhaps others), each once. Raw and compressed_segmentation chunks allocate
 * nothing per voxel this way; of the latter, pieces run through all chunks, and only those that `within` touches are decoded.
 * CORRUPT says in `fields.chunk` which chunk of the row it is.
 *
 * @param within box in voxels of the row
 */
export async function decodeChunkRow(
  format: ChunkFormat,
  row: readonly EncodedChunk[],
  within: Box,
  take: TakePiece,
): Promise<void> {
  const { encoding, dataType, channels } = format;
  if (encoding === "compressed_segmentation") {
    return decodeCompressedSegmentationRow(row, dataType, channels, blockSize(format), within, take);
  }
  for (let chunk = 0, x = 0; chunk < row.length; chunk++) {
    const { bytes, size } = row[chunk]!;
    try {
      const voxels =
        encoding === "raw"
          ? viewRaw(bytes, dataType, voxelCount(size) * channels)
          : await decodeChunk(format, size, bytes);
      takeWhole(voxels, size, channels, take, x);
    } catch (error) {
      throw isPrecomputedError(error, "CORRUPT")
        ? corrupt(error.message, { ...error.fields, chunk }, error.cause)
        : error;
    }
    x += size[0];
  }
}

/** Encodes a chunk of the caller's own arrays: `fill` sets the voxels of pieces that together are the chunk. */
export async function encodeChunkPieces(format: ChunkFormat, size: Xyz, fill: FillPiece): Promise<Uint8Array> {
  const { encoding, dataType, channels } = format;
  if (encoding === "raw") return encodeRawPieces(dataType, size, channels, fill);
  if (encoding === "compressed_segmentation") {
    return encodeCompressedSegmentationPieces(dataType, size, channels, blockSize(format), fill);
  }
  return encodeChunk(format, size, filledWhole(dataType, size, channels, fill));
}

/** Most bytes a chunk of `size` can have encoded; what unpacks to more is refused unread. */
export function maxEncodedBytes(format: ChunkFormat, size: Xyz): number {
  const raw = voxelCount(size) * format.channels * bytesPerVoxel(format.dataType);
  if (format.encoding === "raw") return raw;
  if (format.encoding === "compressed_segmentation") {
    return maxCompressedSegmentationBytes(format.dataType, size, format.channels, blockSize(format));
  }
  // Picture and boundary formats stay below this even on noise; the constant is for their headers and metadata.
  return 4 * raw + 2 ** 20;
}

function voxelCount(size: Xyz): number {
  return size[0] * size[1] * size[2];
}

function blockSize(format: ChunkFormat): Xyz {
  if (format.blockSize === undefined) throw new TypeError("compressed_segmentation needs format.blockSize");
  return format.blockSize;
}

function unknownEncoding(encoding: string): PrecomputedError {
  return new PrecomputedError("UNSUPPORTED", `encoding "${encoding}" is none of ${ENCODINGS.join(", ")}`, { encoding });
}
