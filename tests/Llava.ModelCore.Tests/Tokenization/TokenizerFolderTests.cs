using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Tokenization;

public sealed class TokenizerFolderTests
{
    private static readonly string SentencePieceFile = Path.Combine(FixtureFolder.Case("J"), "tokenizer", "tokenizer.model");

    [Fact]
    public void An_empty_folder_is_refused_with_the_files_that_are_missing()
    {
        using var folder = new TemporaryFolder();

        var error = Assert.Throws<TokenizerException>(() => TokenizerFolder.Open(folder.Path));

        Assert.Contains("tokenizer.model", error.Message);
        Assert.Contains(folder.Path, error.Message);
    }

    [Fact]
    public void A_damaged_model_is_refused()
    {
        using var folder = new TemporaryFolder();
        var bytes = File.ReadAllBytes(SentencePieceFile);
        File.WriteAllBytes(folder.File("tokenizer.model"), bytes[..(bytes.Length / 2)]);

        Assert.Contains("tokenizer.model", Assert.Throws<TokenizerException>(() => TokenizerFolder.Open(folder.Path)).Message);
    }

    [Fact]
    public void A_damaged_json_file_is_named_in_the_error()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SentencePieceFile, folder.File("tokenizer.model"));
        File.WriteAllText(folder.File("added_tokens.json"), "{\"<image>\": ");

        Assert.Contains("added_tokens.json", Assert.Throws<TokenizerException>(() => TokenizerFolder.Open(folder.Path)).Message);
    }

    [Fact]
    public void A_bare_model_has_the_roles_of_llama()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SentencePieceFile, folder.File("tokenizer.model"));

        var tokenizer = TokenizerFolder.Open(folder.Path);

        Assert.Equal((tokenizer.IdOf("<s>"), tokenizer.IdOf("</s>"), tokenizer.IdOf("<unk>"), null), (tokenizer.BosId, tokenizer.EosId, tokenizer.UnkId, tokenizer.PadId));
        Assert.Equal([tokenizer.BosId!.Value, tokenizer.EosId!.Value], tokenizer.Encode("</s>"));
    }

    [Fact]
    public void Tokens_of_added_tokens_json_keep_their_ids_and_take_the_white_space_around_them()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SentencePieceFile, folder.File("tokenizer.model"));
        var pieces = TokenizerFolder.Open(folder.Path).VocabularySize;
        File.WriteAllText(folder.File("added_tokens.json"), $$"""{"<pad>": {{pieces + 1}}, "<image>": {{pieces}}}""");
        File.WriteAllText(folder.File("special_tokens_map.json"), """{"pad_token": {"content": "<pad>", "lstrip": false, "rstrip": false}}""");

        var tokenizer = TokenizerFolder.Open(folder.Path);

        Assert.Equal(pieces + 2, tokenizer.VocabularySize);
        Assert.Equal(pieces + 1, tokenizer.PadId);
        Assert.True(tokenizer.IsSpecial(pieces + 1));
        Assert.False(tokenizer.IsSpecial(pieces));
        Assert.Equal([.. tokenizer.Encode("a"), pieces, .. tokenizer.Encode("b", addBos: false)], tokenizer.Encode("a <image>\n b"));
        Assert.Equal([.. tokenizer.Encode("a "), pieces + 1, .. tokenizer.Encode(" b", addBos: false)], tokenizer.Encode("a <pad> b"));
    }

    [Fact]
    public void A_role_given_as_a_string_in_the_map_takes_the_white_space_around_it()
    {
        using var folder = new TemporaryFolder();
        File.Copy(SentencePieceFile, folder.File("tokenizer.model"));
        File.WriteAllText(folder.File("special_tokens_map.json"), """{"eos_token": "</s>"}""");

        var tokenizer = TokenizerFolder.Open(folder.Path);

        Assert.Equal([.. tokenizer.Encode("a"), tokenizer.EosId!.Value, .. tokenizer.Encode("b", addBos: false)], tokenizer.Encode("a </s> b"));
    }

    [Theory]
    [InlineData("added_tokens.json", """{"<a>": 9999, "<b>": 9999}""")]
    [InlineData("added_tokens.json", """{"<a>": "x"}""")]
    [InlineData("added_tokens.json", "[]")]
    [InlineData("special_tokens_map.json", """{"eos_token": {"text": "</s>"}}""")]
    [InlineData("tokenizer_config.json", """{"added_tokens_decoder": {"x": {"content": "<a>"}}}""")]
    public void Files_that_contradict_themselves_are_refused_with_the_folder(string file, string json)
    {
        using var folder = new TemporaryFolder();
        File.Copy(SentencePieceFile, folder.File("tokenizer.model"));
        File.WriteAllText(folder.File(file), json);

        Assert.Contains(folder.Path, Assert.Throws<TokenizerException>(() => TokenizerFolder.Open(folder.Path)).Message);
    }

    [Theory]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0}}}""")]
    [InlineData("""{"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""")]
    [InlineData("""{"normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""")]
    public void A_byte_level_file_that_is_incomplete_or_asks_for_more_is_refused(string json)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), json);

        Assert.Throws<TokenizerException>(() => TokenizerFolder.Open(folder.Path));
    }

    [Fact]
    public void A_json_of_another_kind_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("tokenizer.json"), """{"pre_tokenizer": null, "model": {"type": "WordPiece"}}""");

        Assert.Contains("byte-level", Assert.Throws<TokenizerException>(() => TokenizerFolder.Open(folder.Path)).Message);
    }
}
