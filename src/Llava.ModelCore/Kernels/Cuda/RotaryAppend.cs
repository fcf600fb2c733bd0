namespace Llava.ModelCore.Kernels.Cuda;

/// <summary>Rotates the queries and keys of merged projections and stores keys and values in the arena. Pointers are the device's.</summary>
/// <param name="Merged">bfloat16 (rows, heads + 2 · shared, size): queries, keys, values.</param>
/// <param name="Cosines">float32 (angles, size / 2).</param>
/// <param name="Sines">float32 (angles, size / 2).</param>
/// <param name="Angles">int32 (rows): which line of the tables.</param>
/// <param name="Slots">int32 (rows): position in the arena; negative for padding.</param>
/// <param name="Queries">bfloat16 (rows, heads, size), written.</param>
/// <param name="Layer">The arena, written at the slots.</param>
internal readonly record struct RotaryAppend(nint Merged, nint Cosines, nint Sines, nint Angles, nint Slots, nint Queries, KvLayer Layer)
{
    private const int Threads = 256;

    /// <summary>Puts it into the stream.</summary>
    /// <exception cref="NotSupportedException">The kernels do not take such heads.</exception>
    public void Launch(DeviceKernels kernels, int rows, HeadShape shape)
    {
        shape.ThrowIfNotSupported();
        if (Layer.IsFp8)
        {
            kernels.Launch(
                "rotary_append_fp8", "rotary_append_fp8", new(rows, Threads),
                Merged, Cosines, Sines, Angles, Slots, Queries, Layer.Keys, Layer.Values, Layer.KeyScales, Layer.ValueScales, shape.Heads, shape.Shared, shape.Size, Layer.Positions);
            return;
        }

        kernels.Launch("rotary_append", "rotary_append", new(rows, Threads), Merged, Cosines, Sines, Angles, Slots, Queries, Layer.Keys, Layer.Values, shape.Heads, shape.Shared, shape.Size);
    }
}
