using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Decoding;

/// <summary>Turns a checkpoint's tensors into packed ones, some rows at a time.</summary>
/// <param name="scheme">How the weights are kept.</param>
/// <param name="read">Gives a parameter by its name in our own layout; the tensor is disposed here.</param>
/// <param name="pool">Who packs.</param>
internal sealed class DecoderPacking(QuantizationScheme scheme, Func<string, Tensor> read, WorkerPool pool) : IDecoderSource
{
    // Rows that are float32 at the same time.
    private const int RowsAtOnce = 1024;

    /// <inheritdoc/>
    public unsafe NativeBuffer<float> Vector(string parameter, int size)
    {
        NativeBuffer<float> vector = new(size);
        EachRow(read(parameter), 1, size, (_, values) => values.CopyTo(new Span<float>(vector.Start, size)));
        return vector;
    }

    /// <inheritdoc/>
    public PackedMatrix Matrix(DecoderPart part)
    {
        PackedMatrix? packed = null;
        var first = 0;
        foreach (var (name, rows) in part.Parameters)
        {
            var tensor = Read(name, part);
            packed ??= new PackedMatrix(part.Rows, part.Columns, DecoderFormats.Of(scheme, part, tensor.dtype));
            if (packed.Format == WeightFormat.Nf4)
            {
                FillCodes(name, tensor, rows, packed, first);
            }
            else
            {
                Fill(name, tensor, rows, part.Columns, Below(packed, first));
            }

            first += rows;
        }

        return packed!;
    }

    /// <inheritdoc/>
    public EmbeddingTable Table(DecoderPart part)
    {
        var tensor = read(part.Parameters[0].Name);
        EmbeddingTable table = new(part.Rows, part.Columns, DecoderFormats.Of(scheme, part, tensor.dtype));
        Fill(part.Parameters[0].Name, tensor, part.Rows, part.Columns, table.SetRow);
        return table;
    }

    private static RowAction Below(PackedMatrix packed, int first) => (row, values) => packed.SetRow(first + row, values);

    /// <summary>A parameter as it is to be packed.</summary>
    private Tensor Read(string name, DecoderPart part)
    {
        var tensor = read(name);
        if (scheme != QuantizationScheme.Nf4 || part.Kind != DecoderPartKind.Layer || Nf4Panel.Fits(part.Columns))
        {
            return tensor;
        }

        using (tensor)
        {
            using var coded = Nf4Weight.Of(tensor);
            return coded.Dequantize(ScalarType.Float16);
        }
    }

    private void Fill(string name, Tensor tensor, int rows, int columns, RowAction action) => Require(name, () => EachRow(tensor, rows, columns, action));

    private void FillCodes(string name, Tensor tensor, int rows, PackedMatrix packed, int first)
    {
        using (tensor)
        {
            using var coded = Nf4Weight.Of(tensor);
            Require(name, () => pool.Run(new CodeWork(coded, packed, first), rows));
        }
    }

    private static void Require(string name, Action pack)
    {
        try
        {
            pack();
        }
        catch (InvalidOperationException e) when (e.InnerException is ArgumentException refused)
        {
            throw new CheckpointException($"'{name}' cannot be loaded: {refused.Message} The checkpoint is damaged.", e);
        }
    }

    private void EachRow(Tensor tensor, int rows, int columns, RowAction action)
    {
        using (tensor)
        {
            var table = tensor.view(rows, columns);
            for (var first = 0; first < rows; first += RowsAtOnce)
            {
                using var scope = NewDisposeScope();
                var values = table.narrow(0, first, Math.Min(RowsAtOnce, rows - first)).to(ScalarType.Float32).contiguous();
                pool.Run(new RowWork(values, first, columns, action), (int)values.shape[0]);
            }
        }
    }

    /// <summary>Does something with a row's numbers.</summary>
    private delegate void RowAction(int row, ReadOnlySpan<float> values);

    private sealed class CodeWork(Nf4Weight coded, PackedMatrix packed, int first) : IParallelWork
    {
        private readonly byte[] _codes = coded.Packed.bytes.ToArray();
        private readonly byte[] _magnitudes = coded.MagnitudeCodes.bytes.ToArray();
        private readonly float[] _scales = coded.MagnitudeScales.data<float>().ToArray();
        private readonly float _offset = coded.Offset.item<float>();

        public void Run(int part, int worker)
        {
            var blocks = packed.Columns / Nf4.Block;
            var (firstBlock, endBlock) = (part * blocks, (part + 1) * blocks);
            packed.SetRow(first + part, new Nf4Row(
                _codes.AsSpan(firstBlock * (Nf4.Block / 2), blocks * (Nf4.Block / 2)),
                _magnitudes.AsSpan(firstBlock, blocks),
                _scales.AsSpan()[(firstBlock / DynamicCode.Block)..(((endBlock - 1) / DynamicCode.Block) + 1)],
                firstBlock % DynamicCode.Block,
                _offset));
        }
    }

    private sealed unsafe class RowWork(Tensor values, int first, int columns, RowAction action) : IParallelWork
    {
        private readonly nint _start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(values.bytes));

        public void Run(int part, int worker) => action(first + part, new ReadOnlySpan<float>((float*)_start + ((long)part * columns), columns));
    }
}
