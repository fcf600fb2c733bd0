using System.Text;
using System.Text.Json;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Case J: ids and texts of the original SentencePiece tokenizer, every string of the fixture.</summary>
public sealed class TokenizerParityTests
{
    private static readonly string Folder = FixtureFolder.Case("J");
    private static readonly JsonElement Expected = FixtureFolder.Json(Folder, "expected_tokenizer.json");
    private static readonly ITokenizer Tokenizer = TokenizerFolder.Open(Path.Combine(Folder, "tokenizer"));

    [Fact]
    public void Text_becomes_the_ids_of_the_original() => ForEach("sp", item =>
    {
        var text = item.Text("text");
        Assert.Equal(item.Ids("ids"), Tokenizer.Encode(text));
        Assert.Equal(item.Ids("ids_no_special"), Tokenizer.Encode(text, addBos: false));
        Assert.Equal(item.GetProperty("pieces").EnumerateArray().Select(piece => piece.GetString()), item.Ids("ids").Select(Tokenizer.TokenOf));
    });

    [Fact]
    public void Ids_become_the_text_of_the_original() => ForEach("sp", item =>
    {
        Assert.Equal(item.Text("decoded"), Tokenizer.Decode(item.Ids("ids"), skipSpecial: false));
        Assert.Equal(item.Text("decoded_skip_special"), Tokenizer.Decode(item.Ids("ids"), skipSpecial: true));
    });

    [Fact]
    public void Arbitrary_ids_become_the_text_of_the_original() => ForEach("random_ids_decode", item =>
    {
        Assert.Equal(item.Text("decoded"), Tokenizer.Decode(item.Ids("ids"), skipSpecial: false));
        Assert.Equal(item.Text("decoded_skip_special"), Tokenizer.Decode(item.Ids("ids"), skipSpecial: true));
    });

    [Fact]
    public void Every_prefix_of_an_answer_decodes_as_in_the_original() => ForEach("prefix_decode", item =>
    {
        var ids = item.Ids("ids");
        var prefixes = item.GetProperty("decoded_prefixes").EnumerateArray().Select(text => text.GetString()!).ToList();
        Assert.Equal(ids.Length, prefixes.Count);
        Assert.All(prefixes.Index(), prefix => Assert.Equal(prefix.Item, Tokenizer.Decode(ids[..(prefix.Index + 1)], skipSpecial: false)));
    });

    [Fact]
    public void Images_in_a_prompt_become_placeholders_where_the_original_has_them() => ForEach("image", item =>
        Assert.Equal(item.Ids("ids"), ImagePlaceholder.Encode(Tokenizer, item.Text("text"))));

    [Fact]
    public void Added_tokens_take_the_ids_and_the_white_space_that_they_take_in_the_original()
    {
        var vocabulary = Expected.GetProperty("added_vocab").EnumerateObject().OrderBy(token => token.Value.GetInt32()).ToList();
        var tokenizer = Tokenizer.WithAddedTokens([.. vocabulary.Select(token => token.Name)]);

        Assert.All(vocabulary, token => Assert.Equal(token.Value.GetInt32(), tokenizer.IdOf(token.Name)));
        Assert.Equal(Tokenizer.VocabularySize + vocabulary.Count, tokenizer.VocabularySize);
        ForEach("special_added", item =>
        {
            var withoutImages = item.Ids("ids").Where(id => id != ImagePlaceholder.TokenId).ToList();
            Assert.Equal(item.Ids("ids"), ImagePlaceholder.Encode(tokenizer, item.Text("text")));
            Assert.Equal(item.Text("decoded_without_image"), tokenizer.Decode(withoutImages, skipSpecial: false));
            Assert.Equal(item.Text("decoded_skip_special"), tokenizer.Decode(withoutImages, skipSpecial: true));
        });
    }

    [Fact]
    public void Streaming_releases_the_text_of_the_whole() => Assert.All(
        Expected.GetProperty("sp").EnumerateArray().Concat(Expected.GetProperty("random_ids_decode").EnumerateArray()),
        item => Assert.Equal(item.Text("decoded_skip_special"), Stream(Tokenizer, item.Ids("ids"))));

    internal static string Stream(ITokenizer tokenizer, IEnumerable<int> ids)
    {
        var streaming = new StreamingText(tokenizer, StopStrings.None);
        var text = new StringBuilder();
        foreach (var id in ids)
        {
            text.Append(streaming.Push(id));
        }

        return text.Append(streaming.Finish()).ToString();
    }

    private static void ForEach(string list, Action<JsonElement> check)
    {
        var items = Expected.GetProperty(list).EnumerateArray().ToList();
        Assert.NotEmpty(items);
        Assert.All(items, check);
    }
}
