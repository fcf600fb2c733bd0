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
        RotaryAppend append = new(input, cosines, sines, angleRows, slotRows, queries, new(keys, values));
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

    [Theory]
    [InlineData(1, 1, 1, 16)]
    [InlineData(3, 4, 2, 48)]
    [InlineData(2, 3, 3, 80)]
    [InlineData(2, 2, 40, 128)]
    public void Keys_and_values_in_eight_bits_are_those_in_sixteen_rounded_and_can_be_expanded_again(int rows, int heads, int shared, int size)
    {
        const int Positions = 9, Angles = 5;
        HeadShape shape = new(heads * shared, shared, size);
        int[] slots = [.. Enumerable.Range(0, Positions).OrderBy(_ => _numbers.Random.Next()).Take(rows)];
        slots[^1] = rows > 1 ? -1 : slots[^1];
        using var input = DeviceNumbers.Half(_numbers.Ordinary(rows * (shape.Heads + (2 * shared)) * size));
        using DeviceMemory<float> cosines = new(_numbers.Ordinary(Angles * size / 2)), sines = new(_numbers.Ordinary(Angles * size / 2));
        using DeviceMemory<int> angleRows = new([.. Enumerable.Range(0, rows).Select(_ => _numbers.Random.Next(Angles))]), slotRows = new(slots);
        using DeviceMemory<ushort> queries = new(rows * shape.Heads * size), plainQueries = new(queries.Length), keys = new(Positions * shared * size), values = new(keys.Length);
        using DeviceMemory<byte> keyCodes = new(keys.Length), valueCodes = new(keys.Length);
        using DeviceMemory<float> keyScales = new(Positions * shared), valueScales = new(Positions * shared);
        KvLayer rounded = new(keyCodes, valueCodes, keyScales, valueScales, Positions);
        RotaryAppend append = new(input, cosines, sines, angleRows, slotRows, queries, rounded);
        foreach (var memory in (DeviceMemory<byte>[])[keyCodes, valueCodes])
        {
            _device.InEveryOrder(() => append.Launch(_device.Kernels, rows, shape), memory);
        }

        append.Launch(_device.Kernels, rows, shape);
        (append with { Queries = plainQueries, Layer = new(keys, values) }).Launch(_device.Kernels, rows, shape);
        Assert.Equal(plainQueries.ToArray(), queries.ToArray());

        // Each stored position is an extent of its own.
        int[] stored = [.. slots.Where(slot => slot >= 0)];
        using DeviceMemory<ushort> expandedKeys = new(keys.Length), expandedValues = new(keys.Length);
        using DeviceMemory<int> starts = new(stored), lengths = new([.. stored.Select(_ => 1)]);
        ExtentExpansion expansion = new(rounded, new(expandedKeys, expandedValues), starts, lengths);
        _device.InEveryOrder(() => expansion.Launch(_device.Kernels, stored.Length, 2, shape), expandedKeys);
        expansion.Launch(_device.Kernels, stored.Length, 2, shape);
        foreach (var (exact, codes, scales, expanded) in new[] { (keys, keyCodes, keyScales, expandedKeys), (values, valueCodes, valueScales, expandedValues) })
        {
            for (var place = 0; place < Positions * shared; place++)
            {
                var (position, head) = Math.DivRem(place, shared);
                var scale = scales.Span[(head * Positions) + position];
                Assert.Equal(!stored.Contains(position), float.IsNaN(scale));
                if (stored.Contains(position))
                {
                    E4m3.AssertRounded(exact.Span.Slice(place * size, size), codes.Span.Slice(place * size, size), scale, $"position {position}, head {head}, {_numbers}");
                    DeviceNumbers.AssertClose(E4m3.Numbers(codes.Span.Slice(place * size, size), scale), expanded.Span.Slice(place * size, size), $"{_numbers}");
                }
            }

            AssertUntouchedBut(stored, expanded, shared * size);
            Array.ForEach([exact, expanded], memory => memory.ThrowIfTouchedOutside());
            codes.ThrowIfTouchedOutside();
            scales.ThrowIfTouchedOutside();
        }
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
