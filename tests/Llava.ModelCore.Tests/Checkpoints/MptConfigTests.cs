using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Tests.Parity;

namespace Llava.ModelCore.Tests.Checkpoints;

/// <summary>What MPT may be, and what is refused by the field that asks for it.</summary>
public sealed class MptConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string Mpt => Directory.EnumerateDirectories(FixtureFolder.Case("D")).Single(folder => File.Exists(Path.Combine(folder, "config.json")));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Sizes_and_settings_come_from_its_own_fields()
    {
        using var checkpoint = CheckpointFolder.Open(Mpt);

        var model = checkpoint.Config.LanguageModel;
        Assert.Equal(new MptSettings(), model.Mpt);
        Assert.Equal((64, 256, 3, 4, 4, 512), (model.HiddenSize, model.IntermediateSize, model.Layers, model.Heads, model.KeyValueHeads, model.MaxPositions));
        Assert.True(model.TieEmbeddings);
        Assert.DoesNotContain(checkpoint.Tensors, tensor => tensor.Parameter.Name.Contains("gate_proj", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("alibi", "false", "attn_config.alibi is false; it must be true")]
    [InlineData("qk_ln", "true", "attn_config.qk_ln is true; it must be false")]
    [InlineData("prefix_lm", "true", "attn_config.prefix_lm is true; it must be false")]
    [InlineData("attn_type", "\"multiquery_attention\"", "attn_config.attn_type is \"multiquery_attention\"")]
    [InlineData("clip_qkv", "-1", "attn_config.clip_qkv is -1")]
    public void What_is_not_supported_is_refused_by_its_field(string field, string value, string says)
    {
        _folder.With(Mpt).Edit("config.json", json => json["attn_config"]![field] = System.Text.Json.Nodes.JsonNode.Parse(value));

        Assert.Contains(says, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void Biases_and_odd_widths_are_refused()
    {
        _folder.With(Mpt).Edit("config.json", json => json["no_bias"] = false);
        Assert.Contains("no_bias is false", Refusal(), StringComparison.Ordinal);
        _folder.Edit("config.json", json => (json["no_bias"], json["n_heads"]) = (true, 5));
        Assert.Contains("d_model is 64; it must be a multiple of n_heads (5)", Refusal(), StringComparison.Ordinal);
    }

    private string Refusal()
    {
        using var original = CheckpointFolder.Open(Mpt);
        return Assert.Throws<CheckpointException>(() => CheckpointFolder.Open(_folder.Path, new CheckpointOptions { VisionTowerFolder = original.VisionTowerFolder })).Message;
    }
}
