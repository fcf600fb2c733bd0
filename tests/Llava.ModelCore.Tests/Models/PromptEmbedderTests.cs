using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Models;

public sealed class PromptEmbedderTests : IDisposable
{
    private const int Image = ImagePlaceholder.TokenId;

    private readonly DisposeScope _scope;
    private readonly LanguageModel _language;

    static PromptEmbedderTests() => TorchLibrary.EnsureLoaded();

    public PromptEmbedderTests()
    {
        _scope = NewDisposeScope();
        _language = new LanguageModel(new LanguageModelConfig { VocabularySize = 10, HiddenSize = 2, IntermediateSize = 2, Layers = 1, Heads = 1, KeyValueHeads = 1 });
        foreach (var (name, parameter) in _language.named_parameters())
        {
            using var constant = no_grad();
            // Token i is embedded as (i, i).
            parameter.copy_(name == "embed_tokens.weight" ? arange(Scalars.OfInteger(10)).to(ScalarType.Float32).unsqueeze(1).expand(10, 2) : ones_like(parameter));
        }
    }

    [Fact]
    public void Images_take_the_place_of_their_placeholders_in_order()
    {
        var spliced = Embed([1, Image, 3, 4, Image], [Features(3, 100), Features(2, 200)]);
        Assert.Equal([1f, 100, 100, 100, 3, 4, 200, 200], Column(spliced.Embeddings));
        Assert.Equal([new ImageSpan(1, 3), new ImageSpan(6, 2)], spliced.Images);
        Assert.Null(spliced.Labels);
    }

    [Fact]
    public void Neighbouring_images_need_no_text_between_them()
    {
        var spliced = Embed([Image, Image], [Features(1, 100), Features(2, 200)]);
        Assert.Equal([100f, 200, 200], Column(spliced.Embeddings));
    }

    [Fact]
    public void Text_alone_is_looked_up()
    {
        var spliced = Embed([1, 2, 9], []);
        Assert.Equal([1f, 2, 9], Column(spliced.Embeddings));
        Assert.Empty(spliced.Images);
    }

    [Fact]
    public void Labels_are_ignored_at_image_positions()
    {
        var spliced = Embed([1, Image, 3, 4], [Features(2, 100)], [-100, 77, 3, 4]);
        Assert.Equal([-100L, -100, -100, 3, 4], spliced.Labels);
    }

    [Fact]
    public void What_is_longer_than_allowed_is_cut_after_splicing()
    {
        var spliced = Embed([1, Image, 3, Image], [Features(2, 100), Features(2, 200)], [-100, -100, 3, -100], maxPositions: 2);
        Assert.Equal([1f, 100], Column(spliced.Embeddings));
        Assert.Equal([-100L, -100], spliced.Labels);
        Assert.Equal([new ImageSpan(1, 1)], spliced.Images);
    }

    [Fact]
    public void A_prompt_that_does_not_fit_is_refused_with_its_numbers()
    {
        Assert.Contains("2 image placeholders but 1 images", Assert.Throws<PromptException>(() => Embed([Image, Image], [Features(1, 1)])).Message);
        Assert.Contains("0 image placeholders but 1 images", Assert.Throws<PromptException>(() => Embed([1], [Features(1, 1)])).Message);
        Assert.Contains("Token 10", Assert.Throws<PromptException>(() => Embed([10], [])).Message);
        Assert.Contains("Token -1", Assert.Throws<PromptException>(() => Embed([-1], [])).Message);
        Assert.Contains("empty", Assert.Throws<PromptException>(() => Embed([], [])).Message);
        Assert.Contains("2 ids but 1 labels", Assert.Throws<PromptException>(() => Embed([1, 2], [], [1])).Message);
    }

    [Fact]
    public void Gradients_reach_the_images_and_the_table()
    {
        var image = Features(2, 100).requires_grad_();
        Embed([1, Image, 1], [image]).Embeddings.sum().backward();
        Assert.Equal([1f, 1], Column(image.grad!));
        var table = _language.named_parameters().First(p => p.name == "embed_tokens.weight").parameter.grad!;
        Assert.Equal([0f, 2, 0, 0, 0, 0, 0, 0, 0, 0], Column(table));
    }

    [Theory]
    [InlineData(PaddingSide.Right, new float[] { 1, 2, 3, 4, 0, 0 }, new[] { 0L, 1, 2, 0, 0, 0 }, new[] { 2L, 3, -100, 4, -100, -100 })]
    [InlineData(PaddingSide.Left, new float[] { 1, 2, 3, 0, 0, 4 }, new[] { 0L, 1, 2, 0, 0, 0 }, new[] { 2L, 3, -100, -100, -100, 4 })]
    public void Short_rows_are_padded_on_the_chosen_side(PaddingSide side, float[] embeddings, long[] positions, long[] labels)
    {
        var batch = SplicedBatch.Pad([Embed([1, 2, 3], [], [2, 3, -100]), Embed([4], [], [4])], side);
        Assert.Equal([2, 3, 2], batch.Embeddings.shape);
        Assert.Equal(embeddings, Column(batch.Embeddings.flatten(0, 1)));
        Assert.Equal(positions, batch.Positions.flatten().data<long>().ToArray());
        Assert.Equal(labels, batch.Labels!.flatten().data<long>().ToArray());
        Assert.Equal(embeddings.Select(e => e != 0), batch.IsToken.flatten().data<bool>().ToArray());
    }

    [Fact]
    public void Padding_changes_no_row_and_yields_no_nan()
    {
        var sequences = new[] { Embed([1, 2, 3, 4], []), Embed([5, 6], []) };
        var alone = SplicedBatch.Pad([sequences[1]], PaddingSide.Right).Run(_language)[0];
        var right = SplicedBatch.Pad(sequences, PaddingSide.Right).Run(_language);
        var left = SplicedBatch.Pad(sequences, PaddingSide.Left).Run(_language);
        Assert.True(right[1].narrow(0, 0, 2).allclose(alone, atol: 1e-5));
        Assert.True(left[1].narrow(0, 2, 2).allclose(alone, atol: 1e-5));
        Assert.False(left.isnan().any().item<bool>() || right.isnan().any().item<bool>());
    }

    public void Dispose()
    {
        _language.Dispose();
        _scope.Dispose();
    }

    private static Tensor Features(int count, float value) => full([count, 2], Scalars.Of(value), ScalarType.Float32);

    private static float[] Column(Tensor rows) => rows.detach().select(1, 0).contiguous().data<float>().ToArray();

    private SplicedSequence Embed(int[] ids, Tensor[] images, long[]? labels = null, int? maxPositions = null) =>
        new PromptEmbedder(_language).Embed(ids, images, labels, maxPositions);
}
