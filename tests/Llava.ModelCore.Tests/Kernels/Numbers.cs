using Llava.ModelCore.Kernels;

namespace Llava.ModelCore.Tests.Kernels;

/// <summary>Random numbers of every size that a kernel may meet.</summary>
internal static unsafe class Numbers
{
    /// <summary>Around one.</summary>
    public static float[] Ordinary(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 4) - 2))];

    /// <summary>Of any magnitude that products of thousands of them survive: zeros and denormals, tiny and huge ones.</summary>
    public static float[] Extreme(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(6) switch
    {
        0 => 0f,
        1 => BitConverter.Int32BitsToSingle(random.Next(1, 0x7FFFFF)),
        2 => -float.Epsilon,
        3 => (float)(random.NextDouble() - 0.5) * 1e15f,
        4 => (float)(random.NextDouble() - 0.5) * 1e-15f,
        _ => (float)(random.NextDouble() - 0.5),
    })];

    /// <summary>A copy in native memory, rows at a distance of their own.</summary>
    public static NativeBuffer<float> Rows(float[] values, int rows, int columns, int stride)
    {
        NativeBuffer<float> buffer = new((long)rows * stride);
        for (var row = 0; row < rows; row++)
        {
            values.AsSpan(row * columns, columns).CopyTo(new Span<float>(buffer.Start + ((long)row * stride), columns));
        }

        return buffer;
    }
}
