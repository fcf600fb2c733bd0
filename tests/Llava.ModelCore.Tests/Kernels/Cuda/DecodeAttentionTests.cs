using System.Runtime.InteropServices;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Cuda;

namespace Llava.ModelCore.Tests.Kernels.Cuda;

public sealed unsafe class DecodeAttentionTests : IDisposable
{
    private readonly EmulatedDevice _device = new();
    private readonly FreshNumbers _numbers = new();

    public void Dispose() => _device.Dispose();

    [Theory]
    [InlineData(1, 1, 128, 1, false)]
    [InlineData(2, 1, 16, 700, false)]
    [InlineData(3, 2, 64, 70, false)]
    [InlineData(8, 1, 128, 33, false)]
    [InlineData(7, 2, 48, 20, false)]
    [InlineData(12, 1, 80, 40, false)]
    [InlineData(1, 2, 128, 300, true)]
    [InlineData(2, 1, 16, 1, true)]
    [InlineData(3, 2, 80, 70, true)]
    [InlineData(8, 1, 48, 90, true)]
    public void Extents_of_any_length_and_order_give_softmax_attention(int group, int shared, int size, int longest, bool isFp8)
    {
        HeadShape shape = new(group * shared, shared, size);
        int[] lengths = [longest, 0, _numbers.Random.Next(1, longest + 1)];
        Case attended = new(_numbers, shape, lengths, isFp8);
        using DeviceMemory<ushort> output = new(attended.Queries.Length);
        _device.InEveryOrder(() => attended.Launch(_device.Kernels, output), output);
        DeviceNumbers.AssertClose(attended.Expected(), output.Span, $"{shape}, {string.Join(' ', lengths)}, {_numbers}", smallest: 0.01);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_row_gives_the_same_bits_beside_longer_and_shorter_ones(bool isFp8)
    {
        HeadShape shape = new(2, 1, 32);
        Case all = new(_numbers, shape, [100, 600, 3], isFp8);
        using DeviceMemory<ushort> together = new(all.Queries.Length);
        all.Launch(_device.Kernels, together);
        for (var row = 0; row < 3; row++)
        {
            using DeviceMemory<ushort> alone = new(shape.Heads * shape.Size);
            all.Launch(_device.Kernels, alone, row);
            Assert.Equal(together.Span.Slice(row * alone.Length, alone.Length), alone.Span);
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1e-30f)]
    [InlineData(1e15f)]
    [InlineData(-1e15f)]
    public void Scores_of_every_size_weigh_equal_keys_equally(float number)
    {
        HeadShape shape = new(1, 1, 16);
        Case attended = new(_numbers, shape, [300]);
        attended.Keys.Span.Fill(BFloat16Bits.FromSingle(number));
        attended.Values.Span.Fill(BFloat16Bits.FromSingle(3));
        using DeviceMemory<ushort> output = new(16);
        attended.Launch(_device.Kernels, output);
        DeviceNumbers.AssertClose([.. Enumerable.Repeat(3.0, 16)], output.Span, $"{number}, {_numbers}");
    }

    [Fact]
    public void A_score_that_is_no_number_is_not_hidden()
    {
        Case attended = new(_numbers, new HeadShape(1, 1, 16), [40]);
        attended.Keys.Span.Fill(BFloat16Bits.FromSingle(float.NaN));
        using DeviceMemory<ushort> output = new(16);
        attended.Launch(_device.Kernels, output);
        Assert.All(output.ToArray(), number => Assert.True(float.IsNaN(BFloat16Bits.ToSingle(number))));
    }

    [Fact]
    public void An_extent_may_lie_beyond_two_billion_numbers()
    {
        // Memory that nobody touches is not there: only the extent's pages become real.
        const int Start = 2_100_000, Shared = 8, Size = 128, Length = 3;
        var arena = (ushort*)NativeMemory.Alloc((nuint)(Start + Length) * Shared, Size * sizeof(ushort));
        try
        {
            var extent = new Span<ushort>((byte*)arena + ((long)Start * Shared * Size * sizeof(ushort)), Length * Shared * Size);
            extent.Fill(BFloat16Bits.FromSingle(2));
            using var queries = DeviceNumbers.Half(_numbers.Ordinary(Shared * Size));
            using DeviceMemory<int> starts = new([Start]), lengths = new([Length]);
            using DeviceMemory<byte> scratch = new((int)DecodeAttention.ScratchBytes(1, Length, new(Shared, Shared, Size)));
            using DeviceMemory<ushort> output = new(Shared * Size);
            new DecodeAttention(queries, new((nint)arena, (nint)arena), starts, lengths, scratch, output).Launch(_device.Kernels, 1, Length, new(Shared, Shared, Size), 0.1f);
            DeviceNumbers.AssertClose([.. Enumerable.Repeat(2.0, output.Length)], output.Span, $"{_numbers}");
        }
        finally
        {
            NativeMemory.Free(arena);
        }
    }

    /// <summary>Rows whose extents lie in any order, each with what nobody may read around it.</summary>
    private sealed class Case
    {
        private readonly HeadShape _shape;
        private readonly float _scale;
        private readonly int[] _starts;
        private readonly int[] _lengths;
        private readonly (RoundedHeads Keys, RoundedHeads Values)? _rounded;

        public Case(FreshNumbers numbers, HeadShape shape, int[] lengths, bool isFp8 = false)
        {
            (_shape, _lengths, _scale) = (shape, lengths, 1 / MathF.Sqrt(shape.Size));
            var order = Enumerable.Range(0, lengths.Length).OrderBy(_ => numbers.Random.Next()).ToArray();
            var next = 1;
            _starts = new int[lengths.Length];
            foreach (var row in order)
            {
                _starts[row] = next;
                next += lengths[row] + 1;
            }

            var width = shape.Shared * shape.Size;
            Queries = DeviceNumbers.Half(numbers.Ordinary(lengths.Length * shape.Heads * shape.Size));
            (Keys, Values) = (new(next * width), new(next * width));
            for (var row = 0; row < lengths.Length; row++)
            {
                foreach (var memory in (DeviceMemory<ushort>[])[Keys, Values])
                {
                    using var written = DeviceNumbers.Half(numbers.Ordinary(lengths[row] * width));
                    written.Span.CopyTo(memory.Span[(_starts[row] * width)..]);
                }
            }

            _rounded = isFp8 ? (new(Keys, shape), new(Values, shape)) : null;
        }

        public DeviceMemory<ushort> Queries { get; }

        public DeviceMemory<ushort> Keys { get; }

        public DeviceMemory<ushort> Values { get; }

        private KvLayer Layer => _rounded is var (keys, values) ? new(keys.Codes, values.Codes, keys.Scales, values.Scales, keys.Scales.Length / _shape.Shared) : new(Keys, Values);

        /// <summary>Attends with all rows, or with one of them alone.</summary>
        public void Launch(DeviceKernels kernels, DeviceMemory<ushort> output, int? only = null)
        {
            var (rows, longest) = only is { } row ? (1, _lengths[row]) : (_lengths.Length, _lengths.Max());
            using DeviceMemory<int> starts = new(_starts.AsSpan(only ?? 0, rows)), lengths = new(_lengths.AsSpan(only ?? 0, rows));
            using DeviceMemory<byte> scratch = new((int)DecodeAttention.ScratchBytes(rows, longest, _shape));
            var queries = (nint)Queries + ((only ?? 0) * _shape.Heads * _shape.Size * sizeof(ushort));
            new DecodeAttention(queries, Layer, starts, lengths, scratch, output).Launch(kernels, rows, longest, _shape, _scale);
            scratch.ThrowIfTouchedOutside();
        }

        public double[] Expected()
        {
            var expected = new double[Queries.Length];
            for (var place = 0; place < expected.Length; place += _shape.Size)
            {
                var (row, head) = Math.DivRem(place / _shape.Size, _shape.Heads);
                var query = Queries.Span.Slice(place, _shape.Size);
                var weights = new double[_lengths[row]];
                for (var position = 0; position < weights.Length; position++)
                {
                    var key = Of(Keys, _rounded?.Keys, row, position, head);
                    for (var i = 0; i < _shape.Size; i++)
                    {
                        weights[position] += (double)BFloat16Bits.ToSingle(query[i]) * key[i] * _scale;
                    }
                }

                var most = weights.DefaultIfEmpty().Max();
                weights = [.. weights.Select(score => Math.Exp(score - most))];
                for (var position = 0; position < weights.Length; position++)
                {
                    var value = Of(Values, _rounded?.Values, row, position, head);
                    for (var i = 0; i < _shape.Size; i++)
                    {
                        expected[place + i] += weights[position] / weights.Sum() * value[i];
                    }
                }
            }

            return expected;
        }

        private double[] Of(DeviceMemory<ushort> arena, RoundedHeads? rounded, int row, int position, int head)
        {
            var place = ((_starts[row] + position) * _shape.Shared) + (head / _shape.Group);
            return rounded?.Head(place) ?? [.. arena.Span.Slice(place * _shape.Size, _shape.Size).ToArray().Select(number => (double)BFloat16Bits.ToSingle(number))];
        }
    }
}
