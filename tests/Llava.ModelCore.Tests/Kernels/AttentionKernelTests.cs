using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Kernels;
using Llava.ModelCore.Kernels.Attention;
using Llava.ModelCore.Models;

namespace Llava.ModelCore.Tests.Kernels;

public sealed unsafe class AttentionKernelTests
{
    private readonly Random _random = new(1);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Random_shapes_give_softmax_attention_over_their_extent(bool isHalf, bool hasSlopes)
    {
        const double Tolerance = 1e-5;
        for (var i = 0; i < 40; i++)
        {
            var shape = new Shape(_random.Next(1, 4), _random.Next(1, 9), _random.Next(1, 50) * 2, _random.Next(0, 150), _random.Next(1, 20)) { HasSlopes = hasSlopes };
            var (actual, expected) = Attend(shape, isHalf, 0, shape.Queries);
            for (var j = 0; j < expected.Length; j++)
            {
                Assert.True(Math.Abs(expected[j] - actual[j]) < Tolerance, $"{shape}: number {j} is {actual[j]} instead of {expected[j]}");
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_query_gives_the_same_bits_in_any_company(bool isHalf)
    {
        var shape = new Shape(2, 3, 40, 37, 11);
        var whole = Attend(shape, isHalf, 0, shape.Queries).Actual;
        for (var first = 0; first < shape.Queries;)
        {
            var count = Math.Min(_random.Next(1, 8), shape.Queries - first);
            var piece = Attend(shape, isHalf, first, count).Actual;
            Assert.Equal(whole[(first * shape.Size)..((first + count) * shape.Size)], piece[(first * shape.Size)..((first + count) * shape.Size)]);
            first += count;
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(float.Epsilon)]
    [InlineData(1e-40f)]
    [InlineData(1e15f)]
    public void Scores_of_every_size_give_weights_that_sum_to_one(float size)
    {
        // All keys are alike, so that every position weighs the same; the values are ones.
        var shape = new Shape(1, 1, 20, 0, 1);
        using var store = KeyValueStore.Create(shape.Config, 64, isHalf: false);
        using var keys = Numbers.Rows([.. Enumerable.Repeat(size, 20)], 1, 20, 20);
        using var ones = Numbers.Rows([.. Enumerable.Repeat(1f, 20)], 1, 20, 20);
        for (var position = 0; position < 37; position++)
        {
            store.Write(0, 0, position, keys.Start, ones.Start);
        }

        using NativeBuffer<float> output = new(20), scratch = new(AttentionTile.Scratch(64, store.PaddedSize));
        store.Attend(new AttentionTask(0, 0, 1, 0, 36, new Rows(keys.Start, 20), new Rows(output.Start, 20), 0, 1), scratch.Start);
        Assert.All(new ReadOnlySpan<float>(output.Start, 20).ToArray(), number => Assert.Equal(1, number, 1e-6));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_copied_prefix_is_read_as_the_one_it_was_copied_from(bool isHalf)
    {
        var config = new Shape(2, 2, 24, 0, 1).Config;
        using var store = KeyValueStore.Create(config, 128, isHalf);
        var numbers = Numbers.Ordinary(_random, 24 * 2);
        using var buffer = Numbers.Rows(numbers, 2, 24, 24);
        for (var position = 0; position < 37; position++)
        {
            for (var layer = 0; layer < config.Layers; layer++)
            {
                buffer.Start[0] = position + layer;
                store.Write(layer, 1, 16 + position, buffer.Start, buffer.Start + 24);
            }
        }

        store.Copy(16, 80, 37);
        using NativeBuffer<float> output = new(2 * 48);
        using NativeBuffer<float> scratch = new(AttentionTile.Scratch(128, store.PaddedSize));
        for (var layer = 0; layer < config.Layers; layer++)
        {
            var task = new AttentionTask(layer, 1, 2, 16, 36, new Rows(buffer.Start, 48), new Rows(output.Start, 48), 0, 2);
            store.Attend(task, scratch.Start);
            store.Attend(task with { ExtentStart = 80, Output = new Rows(output.Start + 48, 48) }, scratch.Start);
            Assert.Equal(new ReadOnlySpan<float>(output.Start, 48), new ReadOnlySpan<float>(output.Start + 48, 48));
        }
    }

    /// <summary>All queries' results and the reference; only the asked ones are computed.</summary>
    private static (float[] Actual, float[] Expected) Attend(Shape shape, bool isHalf, int first, int count)
    {
        const int Extent = 32, Head = 0;
        // The numbers depend on the shape alone.
        Random random = new(shape.GetHashCode());
        var positions = shape.Cached + shape.Rows;
        using var store = KeyValueStore.Create(shape.Config, Extent + 192, isHalf);
        float[] keys = Numbers.Ordinary(random, positions * shape.Size), values = Numbers.Ordinary(random, positions * shape.Size);
        using var keyRows = Numbers.Rows(keys, positions, shape.Size, shape.Size);
        using var valueRows = Numbers.Rows(values, positions, shape.Size, shape.Size);
        for (var position = 0; position < positions; position++)
        {
            store.Write(0, Head, Extent + position, keyRows.Start + (position * shape.Size), valueRows.Start + (position * shape.Size));
        }

        var width = shape.Group * shape.Size;
        var queries = Numbers.Ordinary(random, shape.Rows * width);
        using var queryRows = Numbers.Rows(queries, shape.Rows, width, width + 7);
        using NativeBuffer<float> output = new((long)shape.Rows * width);
        using NativeBuffer<float> scratch = new(AttentionTile.Scratch(positions, store.PaddedSize));
        store.Attend(
            new AttentionTask(0, Head, shape.Group, Extent, shape.Cached, new Rows(queryRows.Start, width + 7), new Rows(output.Start, width), first, count), scratch.Start);
        return (new ReadOnlySpan<float>(output.Start, shape.Rows * width).ToArray(), Reference(shape, isHalf, queries, keys, values));
    }

    private static float[] Reference(Shape shape, bool isHalf, float[] queries, float[] keys, float[] values)
    {
        double Kept(float value) => isHalf ? BFloat16Bits.ToSingle(BFloat16Bits.FromSingle(value)) : value;
        var output = new float[queries.Length];
        for (var query = 0; query < shape.Queries; query++)
        {
            var visible = shape.Cached + (query / shape.Group) + 1;
            var scores = Enumerable.Range(0, visible).Select(position => Enumerable.Range(0, shape.Size)
                .Sum(i => queries[(query * shape.Size) + i] * Kept(keys[(position * shape.Size) + i])) / Math.Sqrt(shape.Size) - (shape.SlopeOf(query) * (visible - 1 - position))).ToArray();
            var weights = scores.Select(score => Math.Exp(score - scores.Max())).ToArray();
            for (var i = 0; i < shape.Size; i++)
            {
                output[(query * shape.Size) + i] = (float)(Enumerable.Range(0, visible).Sum(position => weights[position] * Kept(values[(position * shape.Size) + i])) / weights.Sum());
            }
        }

        return output;
    }

    private sealed record Shape(int Layers, int Group, int Size, int Cached, int Rows)
    {
        /// <summary>Whether keys lose by their distance.</summary>
        public bool HasSlopes { get; init; }

        public double SlopeOf(int query) => HasSlopes ? Alibi.Slopes(2 * Group, 8)[query % Group] : 0;

        public int Queries => Rows * Group;

        public LanguageModelConfig Config => new()
        {
            VocabularySize = 1,
            HiddenSize = 2 * Group * Size,
            IntermediateSize = 1,
            Layers = Layers,
            Heads = 2 * Group,
            KeyValueHeads = 2,
            Mpt = HasSlopes ? new MptSettings() : null,
        };
    }
}
