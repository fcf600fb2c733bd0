using Llava.ModelCore.Kernels.Threads;
using Llava.ModelCore.Kernels.Weights;
using static TorchSharp.torch;

namespace Llava.ModelCore.Kernels.Linear;

/// <summary>A linear layer's weight in panels and its bias.</summary>
internal sealed unsafe class PackedLinear : IDisposable
{
    /// <param name="weight">(outputs, inputs); disposed with this.</param>
    /// <param name="bias">float32 (outputs); null for none.</param>
    public PackedLinear(PackedMatrix weight, Tensor? bias)
    {
        Weight = weight;
        Bias = new NativeBuffer<float>(Panel.Padded(Weight.Rows));
        if (bias is not null)
        {
            new ReadOnlySpan<float>(TensorMemory.Of(bias), Weight.Rows).CopyTo(new Span<float>(Bias.Start, Weight.Rows));
        }
    }

    /// <summary>(outputs, inputs).</summary>
    public PackedMatrix Weight { get; }

    /// <summary>(outputs, filled up to whole panels).</summary>
    public NativeBuffer<float> Bias { get; }

    /// <summary>Bytes of both.</summary>
    public long Bytes => Weight.Bytes + Bias.Bytes;

    /// <summary>Packs a weight.</summary>
    /// <param name="weight">float32 (outputs, inputs), in one piece, on the CPU.</param>
    /// <param name="format">How the weight is kept.</param>
    /// <param name="pool">Who packs.</param>
    /// <exception cref="InvalidOperationException">A weight is no finite number.</exception>
    public static PackedMatrix Pack(Tensor weight, WeightFormat format, WorkerPool pool)
    {
        PackedMatrix packed = new((int)weight.shape[0], (int)weight.shape[1], format);
        pool.Run(new Packing(packed, TensorMemory.Of(weight)), packed.Rows);
        return packed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Weight.Dispose();
        Bias.Dispose();
    }

    private sealed class Packing(PackedMatrix packed, float* weight) : IParallelWork
    {
        public void Run(int part, int worker) => packed.SetRow(part, new ReadOnlySpan<float>(weight + ((long)part * packed.Columns), packed.Columns));
    }
}
