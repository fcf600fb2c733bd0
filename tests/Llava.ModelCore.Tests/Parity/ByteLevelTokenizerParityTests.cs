using System.Text.Json;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Case D: ids and texts of the byte-level tokenizer of MPT.</summary>
public sealed class ByteLevelTokenizerParityTests
{
    private static readonly string Folder = FixtureFolder.Case("D");
    private static readonly string TokenizerFiles = Path.GetDirectoryName(Assert.Single(Directory.GetFiles(Folder, "tokenizer.json", SearchOption.AllDirectories)))!;
    private static readonly JsonElement Expected = FixtureFolder.Json(Folder, "expected_tokenizer.json");
    private static readonly ITokenizer Tokenizer = TokenizerFolder.Open(TokenizerFiles);

    [Fact]
    public void Text_becomes_the_ids_of_the_original() =>
        Assert.All(Expected.GetProperty("strings").EnumerateArray(), item => Assert.Equal(item.Ids("ids"), Tokenizer.Encode(item.Text("text"))));

    [Fact]
    public void Ids_become_the_text_of_the_original_with_its_spaces_cleaned_up() => Assert.All(
        Expected.GetProperty("strings").EnumerateArray(),
        item => Assert.Equal(item.Text("decoded_cleaned"), Tokenizer.Decode(item.Ids("ids"), skipSpecial: false)));

    [Fact]
    public void Ids_become_the_raw_text_where_the_configuration_asks_for_no_clean_up()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(TokenizerFiles, "tokenizer.json"), folder.File("tokenizer.json"));
        File.WriteAllText(folder.File("tokenizer_config.json"), """{"clean_up_tokenization_spaces": false}""");
        var tokenizer = TokenizerFolder.Open(folder.Path);

        Assert.All(Expected.GetProperty("strings").EnumerateArray(), item =>
        {
            Assert.Equal(item.Text("decoded"), tokenizer.Decode(item.Ids("ids"), skipSpecial: false));
            Assert.Equal(item.Text("decoded_skip_special"), tokenizer.Decode(item.Ids("ids"), skipSpecial: true));
            Assert.Equal(item.Text("decoded_skip_special"), TokenizerParityTests.Stream(tokenizer, item.Ids("ids")));
        });
    }

    [Fact]
    public void Streaming_with_clean_up_releases_the_text_of_the_whole() => Assert.All(
        Expected.GetProperty("strings").EnumerateArray(),
        item => Assert.Equal(Tokenizer.Decode(item.Ids("ids"), skipSpecial: true), TokenizerParityTests.Stream(Tokenizer, item.Ids("ids"))));

    [Fact]
    public void Images_in_a_prompt_become_placeholders_where_the_original_has_them() => Assert.All(
        Expected.GetProperty("tokenizer_image_token").EnumerateArray(),
        item => Assert.Equal(item.Ids("ids"), ImagePlaceholder.Encode(Tokenizer, item.Text("text"))));
}
