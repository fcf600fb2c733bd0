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
internal sealed class DecoderPacking(QuantizationScheme scheme, Func<string, Tensor> read, WorkerPool pool)
{
    // Rows that are float32 at the same time.
    private const int RowsAtOnce = 1024;

    /// <summary>How a layer's matrices are kept.</summary>
    public static WeightFormat FormatOf(QuantizationScheme scheme, ScalarType stored) => scheme switch
    {
        QuantizationScheme.Int8 => WeightFormat.Int8,
        QuantizationScheme.Int4 => WeightFormat.Int4,
        _ => stored switch
        {
            ScalarType.BFloat16 => WeightFormat.BFloat16,
            ScalarType.Float16 => WeightFormat.Float16,
            _ => WeightFormat.Float32,
        },
    };

    /// <summary>How the head is kept: its rounding is seen by every token at once, so never in fewer than 8 bits.</summary>
    public static WeightFormat HeadFormatOf(QuantizationScheme scheme, ScalarType stored) =>
        FormatOf(scheme == QuantizationScheme.Int4 ? QuantizationScheme.Int8 : scheme, stored);

    /// <summary>How the embeddings are kept: they are looked up and not multiplied.</summary>
    public static WeightFormat TableFormatOf(QuantizationScheme scheme, ScalarType stored) =>
        scheme == QuantizationScheme.None ? FormatOf(scheme, stored) : WeightFormat.BFloat16;

    /// <summary>A vector in float32.</summary>
    public unsafe NativeBuffer<float> Vector(string name, int size)
    {
        NativeBuffer<float> vector = new(size);
        EachRow(read(name), 1, size, (_, values) => values.CopyTo(new Span<float>(vector.Start, size)));
        return vector;
    }

    /// <summary>Matrices with the same input, one below the other.</summary>
    /// <param name="columns">Their input.</param>
    /// <param name="parts">Names and rows.</param>
    public PackedMatrix Matrix(int columns, params (string Name, int Rows)[] parts)
    {
        PackedMatrix? packed = null;
        var first = 0;
        foreach (var (name, rows) in parts)
        {
            var tensor = read(name);
            packed ??= new PackedMatrix(parts.Sum(part => part.Rows), columns, FormatOf(scheme, tensor.dtype));
            Fill(name, tensor, rows, columns, Below(packed, first));
            first += rows;
        }

        return packed!;
    }

    /// <summary>The output head.</summary>
    public PackedMatrix Head(string name, int rows, int columns)
    {
        var tensor = read(name);
        PackedMatrix packed = new(rows, columns, HeadFormatOf(scheme, tensor.dtype));
        Fill(name, tensor, rows, columns, packed.SetRow);
        return packed;
    }

    /// <summary>The embeddings.</summary>
    public EmbeddingTable Table(string name, int rows, int columns)
    {
        var tensor = read(name);
        EmbeddingTable table = new(rows, columns, TableFormatOf(scheme, tensor.dtype));
        Fill(name, tensor, rows, columns, table.SetRow);
        return table;
    }

    private static RowAction Below(PackedMatrix packed, int first) => (row, values) => packed.SetRow(first + row, values);

    private void Fill(string name, Tensor tensor, int rows, int columns, RowAction action)
    {
        try
        {
            EachRow(tensor, rows, columns, action);
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

    private sealed unsafe class RowWork(Tensor values, int first, int columns, RowAction action) : IParallelWork
    {
        private readonly nint _start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference(values.bytes));

        public void Run(int part, int worker) => action(first + part, new ReadOnlySpan<float>((float*)_start + ((long)part * columns), columns));
    }
}
