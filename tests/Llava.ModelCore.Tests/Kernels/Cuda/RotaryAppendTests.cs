using Llava.ModelCore.Kernels.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed class RotaryAppendTests : IDisposable
{
    private const ushort Untouched = 0xFFFF;

    private readonly EmulatedDevice _device = new();
    private readonly FreshNumbers _numbers = new();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1, 1, 1, 16)]
    [InlineData(3, 4, 2, 32)]
    [InlineData(2, 3, 3, 80)]
    [InlineData(2, 8, 1, 128)]
    public void Queries_and_keys_are_turned_and_keys_and_values_find_their_slots(int rows, int heads, int shared, int size)
    {
        const int Positions = 9, Angles = 5;
        HeadShape shape = new(heads, shared, size);
        var merged = _numbers.Ordinary(rows * (heads + (2 * shared)) * size);
        var tables = Enumerable.Range(0, Angles * size / 2).Select(_ => _numbers.Random.NextDouble() * 6).ToArray();
        int[] angles = [.. Enumerable.Range(0, rows).Select(_ => _numbers.Random.Next(Angles))];
        // The last row is padding when there is another.
        int[] slots = [.. Enumerable.Range(0, Positions).OrderBy(_ => _numbers.Random.Next()).Take(rows)];
        slots[^1] = rows > 1 ? -1 : slots[^1];
        using var input = DeviceNumbers.Half(merged);
        using DeviceMemory<float> cosines = new([.. tables.Select(angle => (float)Math.Cos(angle))]), sines = new([.. tables.Select(angle => (float)Math.Sin(angle))]);
        using DeviceMemory<int> angleRows = new(angles), slotRows = new(slots);
        using DeviceMemory<ushort> queries = new(rows * heads * size), keys = new(Positions * shared * size), values = new(Positions * shared * size);
        RotaryAppend append = new(input, cosines, sines, angleRows, slotRows, queries, keys, values);
        _device.InEveryOrder(() => append.Launch(_device.Kernels, rows, shape), keys);
        append.Launch(_device.Kernels, rows, shape);

        var place = 0;
        for (var row = 0; row < rows; row++)
        {
            for (var head = 0; head < heads + (2 * shared); head++, place += size)
            {
                var from = merged.AsSpan(place, size);
                double[] expected = head < heads + shared ? Turned(from, tables.AsSpan(angles[row] * size / 2, size / 2)) : [.. from.ToArray().Select(x => (double)x)];
                var slot = head < heads ? (row * heads) + head : (slots[row] * shared) + ((head - heads) % shared);
                var target = head < heads ? queries : head < heads + shared ? keys : values;
                if (slot >= 0)
                {
                    DeviceNumbers.AssertClose(expected, target.Span.Slice(slot * size, size), $"row {row}, head {head}, {_numbers}", smallest: 0.02);
                }
            }
        }

        AssertUntouchedBut(slots, keys, shared * size);
        AssertUntouchedBut(slots, values, shared * size);
        Array.ForEach([queries, keys, values], memory => memory.ThrowIfTouchedOutside());
    }

    [Fact]
    public void Heads_that_the_kernels_do_not_take_are_refused()
    {
        RotaryAppend append = default;
        Assert.Throws<NotSupportedException>(() => append.Launch(_device.Kernels, 1, new HeadShape(1, 1, 24)));
        Assert.Throws<NotSupportedException>(() => append.Launch(_device.Kernels, 1, new HeadShape(1, 1, 256)));
        Assert.Throws<NotSupportedException>(() => append.Launch(_device.Kernels, 1, new HeadShape(3, 2, 64)));
    }

    private static double[] Turned(ReadOnlySpan<float> head, ReadOnlySpan<double> angles)
    {
        var turned = new double[head.Length];
        for (var i = 0; i < angles.Length; i++)
        {
            var (first, second) = (head[i], head[angles.Length + i]);
            turned[i] = (first * Math.Cos(angles[i])) - (second * Math.Sin(angles[i]));
            turned[angles.Length + i] = (second * Math.Cos(angles[i])) + (first * Math.Sin(angles[i]));
        }

        return turned;
    }

    private static void AssertUntouchedBut(int[] slots, DeviceMemory<ushort> arena, int width)
    {
        for (var position = 0; position < arena.Length / width; position++)
        {
            Assert.Equal(slots.Contains(position), arena.Span.Slice(position * width, width).IndexOfAnyExcept(Untouched) >= 0);
        }
    }
}
