//===- TileOps.td - Ops of the tile dialect ---------------- *- tablegen -*===//
//
// Part of the sparsek project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef SPARSEK_DIALECT_TILE_IR_TILEOPS_TD
#define SPARSEK_DIALECT_TILE_IR_TILEOPS_TD

include "sparsek/Dialect/Tile/IR/TileDialect.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits>;

defvar Tile_Index = I32;

//===----------------------------------------------------------------------===//
// Roles and threads
//===----------------------------------------------------------------------===//

def Tile_RolesOp : Tile_Op<"roles", [NoRegionArguments, SingleBlock,
                                     NoTerminator]> {
  let summary = "gives the warps of a thread block their roles";
  let description = [{
    Region `i` is run by the next `warps[i]` warps, in groups of
    `group_warps[i]` warps (4, a warpgroup, or 1). `registers[i]`, where given
    and not 0, is how many registers a thread keeps (a multiple of 8 from 24 to
    256; warps of such a role are whole warpgroups): producers give some up for
    consumers. All threads of the block reach the op, and no op follows it but
    the end of the kernel.

    ```mlir
    tile.roles {
      tile.role "producer" warps(4) groups_of(4) registers(88) { ... }
      tile.role "consumer" warps(8) groups_of(4) registers(208) { ... }
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
  let hasVerifier = 1;
}

def Tile_RoleOp : Tile_Op<"role", [HasParent<"RolesOp">, NoRegionArguments,
                                   SingleBlock, NoTerminator]> {
  let summary = "what the warps of one role do";
  let description = [{
    See `tile.roles`. `name` is for the reader.
  }];
  let arguments = (ins StrAttr:$name, I64Attr:$warps, I64Attr:$group_warps,
                       OptionalAttr<I64Attr>:$registers);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $name `warps` `(` $warps `)` `groups_of` `(` $group_warps `)`
    (`registers` `(` $registers^ `)`)? $body attr-dict
  }];
  let hasVerifier = 1;
}

def Tile_ThreadIdOp : Tile_Op<"thread_id", [Pure]> {
  let summary = "the number of this thread in its group";
  let results = (outs Tile_Index:$result);
  let assemblyFormat = "attr-dict";
  let builders = [OpBuilder<(ins), [{ $_state.addTypes($_builder.getI32Type()); }]>];
}

def Tile_GroupIdOp : Tile_Op<"group_id", [Pure]> {
  let summary = "the number of this thread's group in its role";
  let results = (outs Tile_Index:$result);
  let assemblyFormat = "attr-dict";
  let builders = [OpBuilder<(ins), [{ $_state.addTypes($_builder.getI32Type()); }]>];
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

def Tile_AllocOp : Tile_Op<"alloc", [MemoryEffects<[MemAlloc]>]> {
  let summary = "a buffer in the shared memory of the thread block";
  let description = [{
    Outside of roles, in the body of the kernel. Lives as long as the block.
  }];
  let results = (outs Tile_SharedType:$result);
  let assemblyFormat = "attr-dict `:` qualified(type($result))";
}

def Tile_SlotOp : Tile_Op<"slot", [Pure, InferTypeOpAdaptor]> {
  let summary = "one slot of a buffer";
  let arguments = (ins Tile_SharedType:$source, Tile_Index:$index);
  let results = (outs Tile_SharedType:$result);
  let assemblyFormat = "$source `[` $index `]` attr-dict `:` qualified(type($source))";
}

def Tile_AddressOp : Tile_Op<"address", [Pure]> {
  let summary = "the byte address of a buffer in the shared window";
  let arguments = (ins Tile_SharedType:$source);
  let results = (outs I32:$result);
  let assemblyFormat = "$source attr-dict `:` qualified(type($source))";
  let builders = [OpBuilder<(ins "::mlir::Value":$source), [{
    build($_builder, $_state, $_builder.getI32Type(), source);
  }]>];
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

def Tile_RingOp : Tile_Op<"ring", [MemoryEffects<[MemAlloc]>]> {
  let summary = "makes a ring, all slots empty";
  let description = [{
    Outside of roles. A full and an empty mbarrier per slot. A slot is full when
    `producers` warps have committed it (and what they copied has landed), and
    empty when `consumers` warps have released it.

    A user of a ring keeps a stage and a phase. A consumer starts with stage 0,
    phase 0, a producer with stage 0, phase 1, and both go on with
    `tile.advance`. Every warp of a role waits for every slot: a phase cannot be
    skipped.
  }];
  let arguments = (ins I64Attr:$producers, I64Attr:$consumers);
  let results = (outs Tile_RingType:$result);
  let assemblyFormat = [{
    `producers` `(` $producers `)` `consumers` `(` $consumers `)` attr-dict
    `:` qualified(type($result))
  }];
}

class Tile_RingOpBase<string mnemonic, list<Trait> traits = []>
    : Tile_Op<mnemonic, traits>;

def Tile_AcquireOp : Tile_RingOpBase<"acquire"> {
  let summary = "waits until a slot is empty (producer)";
  let arguments = (ins Tile_RingType:$ring, Tile_Index:$stage, Tile_Index:$phase);
  let assemblyFormat = "$ring `[` $stage `,` $phase `]` attr-dict `:` qualified(type($ring))";
}

def Tile_CommitOp : Tile_RingOpBase<"commit"> {
  let summary = "hands over a slot (producer)";
  let description = [{
    Run by all threads of the producer. With `async`, after the gathers that
    they issued so far have landed; shared-memory stores before it are seen by
    the consumers; bulk copies signal by themselves (`tile.bulk_copy`).
  }];
  let arguments = (ins Tile_RingType:$ring, Tile_Index:$stage, UnitAttr:$async);
  let assemblyFormat = "(`async` $async^)? $ring `[` $stage `]` attr-dict `:` qualified(type($ring))";
}

def Tile_WaitOp : Tile_RingOpBase<"wait"> {
  let summary = "waits until a slot is full (consumer)";
  let description = [{
    With `fence`, what gathers and stores wrote may be read by `wgmma` next (the
    async proxy). Only a wait that products follow needs it.
  }];
  let arguments = (ins Tile_RingType:$ring, Tile_Index:$stage, Tile_Index:$phase,
                       UnitAttr:$fence);
  let assemblyFormat = "(`fence` $fence^)? $ring `[` $stage `,` $phase `]` attr-dict `:` qualified(type($ring))";
}

def Tile_TestOp : Tile_RingOpBase<"test"> {
  let summary = "whether a slot is full by now (consumer)";
  let arguments = (ins Tile_RingType:$ring, Tile_Index:$stage, Tile_Index:$phase);
  let results = (outs I1:$result);
  let assemblyFormat = "$ring `[` $stage `,` $phase `]` attr-dict `:` qualified(type($ring))";
}

def Tile_FenceOp : Tile_Op<"fence"> {
  let summary = "lets products read what gathers and stores wrote";
  let description = [{
    `fence.proxy.async.shared::cta`: after a wait, before the products.
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_ReleaseOp : Tile_RingOpBase<"release"> {
  let summary = "hands a slot back (consumer)";
  let arguments = (ins Tile_RingType:$ring, Tile_Index:$stage);
  let assemblyFormat = "$ring `[` $stage `]` attr-dict `:` qualified(type($ring))";
}

def Tile_AdvanceOp : Tile_RingOpBase<"advance", [Pure]> {
  let summary = "the stage and phase after these";
  let arguments = (ins Tile_RingType:$ring, Tile_Index:$stage, Tile_Index:$phase);
  let results = (outs Tile_Index:$next_stage, Tile_Index:$next_phase);
  let assemblyFormat = "$ring `[` $stage `,` $phase `]` attr-dict `:` qualified(type($ring))";
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

def Tile_GatherOp : Tile_Op<"gather"> {
  let summary = "copies rows to shared memory, asynchronously";
  let description = [{
    Row `r` of `slot` becomes the row of `source` at `(indices0[r], indices1[r],
    ...)`, one index vector for each dimension but the last. Indices are in
    bounds. The rows of `source` are contiguous and 16-byte aligned; the offset
    of a row from the base of `source` fits 32 bits in bytes, unsigned. Done when
    a `tile.commit async` that follows has completed.

    After distribution the index vectors are those of one thread.

    ```mlir
    func.func @rows(%key: memref<?x128xbf16, strided<[?, 1], offset: ?>>, %rows: vector<96xi32>,
                    %slot: !tile.shared<96x128xbf16, swizzled>) {
      tile.gather %key[%rows] to %slot : memref<?x128xbf16, strided<[?, 1], offset: ?>>,
          !tile.shared<96x128xbf16, swizzled>, vector<96xi32>
      return
    }
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source,
                       Variadic<VectorOfRankAndType<[1], [I32]>>:$indices,
                       Arg<Tile_SharedType, "", [MemWrite]>:$slot);
  let assemblyFormat = [{
    $source `[` $indices `]` `to` $slot attr-dict `:` type($source) `,`
    qualified(type($slot)) `,` type($indices)
  }];
  let hasVerifier = 1;
}

def Tile_BulkCopyOp : Tile_Op<"bulk_copy"> {
  let summary = "copies a box of a tensor to shared memory with TMA";
  let description = [{
    The box at `coordinates` (innermost dimension first, as TMA counts) of the
    tensor that `map` describes, one copy per panel of `slot`. Issued by one
    thread; the others pass. Its bytes are expected by slot `stage` of `ring`,
    which the producers then `tile.commit`. Rows outside of the tensor are zero.
  }];
  let arguments = (ins Tile_TensorMapType:$map, Variadic<I32>:$coordinates,
                       Tile_SharedType:$slot, Tile_RingType:$ring,
                       Tile_Index:$stage);
  let assemblyFormat = [{
    $map `[` $coordinates `]` `to` $slot `signal` $ring `[` $stage `]` attr-dict
    `:` qualified(type($slot)) `,` qualified(type($ring))
  }];
}

def Tile_EncodeTensorMapOp : Tile_Op<"encode_tensor_map", [Pure]> {
  let summary = "describes a tensor for bulk copies (host)";
  let description = [{
    `source` lies in device memory; its innermost stride is 1, the others are
    multiples of 16 bytes, its base is 16-byte aligned. A copy moves `rows` rows
    of one panel of 128 bytes, swizzled as `!tile.shared` is.
  }];
  let arguments = (ins AnyMemRef:$source, I64Attr:$rows);
  let results = (outs Tile_TensorMapType:$result);
  let assemblyFormat = "$source `rows` `(` $rows `)` attr-dict `:` type($source)";
}

def Tile_ScatterOp : Tile_Op<"scatter"> {
  let summary = "writes the rows of a vector to memory";
  let description = [{
    `value` is `M x N` in layout `fragment` or `M` in layout `row`; row `r` goes
    to the row (the element) of `dest` at `(indices0[r], indices1[r], ...)` where
    `mask[r]` is set.

    ```mlir
    func.func @rows(%o: vector<64x128xbf16>, %output: memref<?x?x128xbf16>, %heads: vector<64xi32>,
                    %queries: vector<64xi32>, %ok: vector<64xi1>) {
      tile.scatter %o to %output[%heads, %queries] mask %ok
          : vector<64x128xbf16>, memref<?x?x128xbf16>, vector<64xi1>, vector<64xi32>, vector<64xi32>
      return
    }
    ```
  }];
  let arguments = (ins AnyVectorOfNonZeroRank:$value,
                       Arg<AnyMemRef, "", [MemWrite]>:$dest,
                       Variadic<VectorOfRankAndType<[1], [I32]>>:$indices,
                       VectorOfRankAndType<[1], [I1]>:$mask);
  let assemblyFormat = [{
    $value `to` $dest `[` $indices `]` `mask` $mask attr-dict `:` type($value)
    `,` type($dest) `,` type($mask) `,` type($indices)
  }];
}

//===----------------------------------------------------------------------===//
// Tiles in registers
//===----------------------------------------------------------------------===//

def Tile_IotaOp : Tile_Op<"iota", [Pure]> {
  let summary = "0, 1, 2, ...";
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
}

def Tile_LoadOp : Tile_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "reads a vector from shared memory";
  let description = [{
    Rank 2: rows `row` and on of a swizzled tile, to layout `fragment`. Rank 1:
    all of a buffer without swizzle, to any layout.
  }];
  let arguments = (ins Tile_SharedType:$source, Optional<Tile_Index>:$row);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = [{
    $source (`rows` `(` $row^ `)`)? attr-dict `:` qualified(type($source)) `,` type($result)
  }];
}

def Tile_StoreOp : Tile_Op<"store", [MemoryEffects<[MemWrite]>]> {
  let summary = "writes a vector in layout linear to shared memory";
  let arguments = (ins AnyVectorOfNonZeroRank:$value, Tile_SharedType:$dest);
  let assemblyFormat = "$value `to` $dest attr-dict `:` type($value) `,` qualified(type($dest))";
}

def Tile_SetFlagOp : Tile_Op<"set_flag", [MemoryEffects<[MemWrite]>]> {
  let summary = "records for each warp whether it holds a set element";
  let description = [{
    `mask` is in layout `linear`; `flag` has one byte per warp of the group.
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I1]>:$mask, Tile_SharedType:$flag);
  let assemblyFormat = "$mask `to` $flag attr-dict `:` type($mask) `,` qualified(type($flag))";
}

def Tile_TestFlagOp : Tile_Op<"test_flag", [MemoryEffects<[MemRead]>]> {
  let summary = "whether any warp set its flag";
  let arguments = (ins Tile_SharedType:$flag);
  let results = (outs I1:$result);
  let assemblyFormat = "$flag attr-dict `:` qualified(type($flag))";
  let builders = [OpBuilder<(ins "::mlir::Value":$flag), [{
    build($_builder, $_state, $_builder.getI1Type(), flag);
  }]>];
}

def Tile_AnyOp : Tile_Op<"any", [Pure]> {
  let summary = "whether an element that this warp holds is set";
  let description = [{
    The warps of a group may get different answers, each for its own rows: a
    branch on the result must be right for each warp by itself.
  }];
  let arguments = (ins VectorOfAnyRankOf<[I1]>:$mask);
  let results = (outs I1:$result);
  let assemblyFormat = "$mask attr-dict `:` type($mask)";
  let builders = [OpBuilder<(ins "::mlir::Value":$mask), [{
    build($_builder, $_state, $_builder.getI1Type(), mask);
  }]>];
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

def Tile_MmaOp : Tile_Op<"mma", [MemoryEffects<[MemRead, MemWrite]>,
                               AttrSizedOperandSegments,
                               AllTypesMatch<["acc", "result"]>]> {
  let summary = "a product of tiles, asynchronous where the chip has it";
  let description = [{
    `result = a * b + acc`, or `a * b` where `accumulate` is given and false;
    `acc` is consumed: its registers become the result's. `b` is a swizzled tile
    `K x N`, or `N x K` with `transpose_b`. `a` is `M x K` in layout `fragment`,
    or rows `a_row` and on of a swizzled tile. f16 and bf16 operands, and f32 by
    three tf32 products; f32 accumulation.

    On a warpgroup (M = 64) this issues `wgmma` instructions and commits them as
    one group: the result may be used after a `tile.mma_wait` that names it, and
    until then `a` and `b` must stay, and these products are never conditional.
    On a warp (M = 16), and with `sync` on the warps of a warpgroup, each with
    its 16 rows, it is `mma.sync`: the result may be used at once, and a branch
    that a warp takes as a whole may hold it.

    After distribution `a`, `acc` and `result` are the vectors of one thread, of
    rank 1.
  }];
  let arguments = (ins AnyType:$a, Tile_SharedType:$b, AnyVectorOfNonZeroRank:$acc,
                       Optional<I1>:$accumulate, Optional<Tile_Index>:$a_row,
                       UnitAttr:$transpose_b, UnitAttr:$overwrite, UnitAttr:$sync);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let hasVerifier = 1;
  let assemblyFormat = [{
    $a `,` $b `,` $acc oilist(`accumulate` `(` $accumulate `)`
      | `rows` `(` $a_row `)` | `transpose_b` $transpose_b
      | `overwrite` $overwrite | `sync` $sync) attr-dict
    `:` qualified(type($a)) `,` qualified(type($b)) `,` type($acc)
  }];
}

def Tile_MmaWaitOp : Tile_Op<"mma_wait", [InferTypeOpAdaptor]> {
  let summary = "waits until at most so many groups of products are pending";
  let description = [{
    The results are the operands, which may be used from here on where their
    products are complete.
  }];
  let arguments = (ins I64Attr:$pending, Variadic<AnyVectorOfNonZeroRank>:$values);
  let results = (outs Variadic<AnyVectorOfNonZeroRank>:$results);
  let assemblyFormat = "$pending (`,` $values^ `:` type($values))? attr-dict";
}

def Tile_PinOp : Tile_Op<"pin", [InferTypeOpAdaptor]> {
  let summary = "keeps values computed before what follows";
  let description = [{
    The results are the operands, through an empty piece of assembly that LLVM
    moves nothing across: values stay where they are made, under products that
    are waited for later.
  }];
  let arguments = (ins Variadic<AnyVectorOfNonZeroRank>:$values);
  let results = (outs Variadic<AnyVectorOfNonZeroRank>:$results);
  let assemblyFormat = "$values attr-dict `:` type($values)";
}

#endif // SPARSEK_DIALECT_TILE_IR_TILEOPS_TD
