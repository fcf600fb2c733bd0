using System.Text;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Tokenization;

public sealed class StreamingTextTests
{
    private static readonly ITokenizer Tokenizer = TokenizerFolder.Open(Path.Combine(FixtureFolder.Case("J"), "tokenizer"));

    [Fact]
    public void A_character_is_released_only_when_it_is_whole()
    {
        var streaming = new StreamingText(Tokenizer, StopStrings.None);
        var parts = Bytes("a🙂b").Select(streaming.Push).ToList();

        Assert.Equal(["a", "", "", "", "🙂", "b"], parts);
        Assert.Equal("", streaming.Finish());
    }

    [Fact]
    public void An_unfinished_character_ends_as_replacement()
    {
        var streaming = new StreamingText(Tokenizer, StopStrings.None);

        Assert.Equal(["", ""], Bytes("🙂")[..2].Select(streaming.Push));
        Assert.Equal("\uFFFD\uFFFD", streaming.Finish());
    }

    [Fact]
    public void Bytes_that_can_never_become_a_character_are_released_at_once()
    {
        var streaming = new StreamingText(Tokenizer, StopStrings.None);

        Assert.Equal("\uFFFD", streaming.Push(Tokenizer.IdOf("<0xFF>")!.Value));
    }

    [Fact]
    public void The_start_of_a_stop_string_is_held_back_until_it_is_something_else()
    {
        var streaming = new StreamingText(Tokenizer, new StopStrings(["###"]));

        Assert.Equal(["a", "", "", "##b", ""], Bytes("a##b#").Select(streaming.Push));
        Assert.Equal("#", streaming.Finish());
        Assert.False(streaming.IsStopped);
    }

    [Fact]
    public void Nothing_of_a_stop_string_or_after_it_is_released()
    {
        var streaming = new StreamingText(Tokenizer, new StopStrings(["END", "###"]));

        Assert.Equal("abE", string.Concat(Bytes("abE###END").Select(streaming.Push)));
        Assert.True(streaming.IsStopped);
        Assert.Equal("", streaming.Finish());
    }

    [Fact]
    public void A_stop_string_inside_one_piece_is_found()
    {
        var (piece, id) = Enumerable.Range(0, Tokenizer.VocabularySize).Select(id => (Piece: Tokenizer.TokenOf(id)!, id))
            .First(entry => entry.Piece.Length == 4 && entry.Piece.All(char.IsAsciiLetterLower) && entry.Piece.Distinct().Count() == 4);
        var streaming = new StreamingText(Tokenizer, new StopStrings([piece[1..3]]));

        Assert.Equal(piece[..1], streaming.Push(id));
        Assert.True(streaming.IsStopped);
    }

    [Theory]
    [InlineData("The cat , it's n't here . 've we 're \" ' \" done ?")]
    [InlineData("  ' s  .  's 'm")]
    [InlineData("nnn ttt sss")]
    public void Spaces_are_cleaned_up_alike_in_parts_and_as_a_whole(string text)
    {
        var decoder = new SpaceCleanup(new Letters(text));
        var output = new StringBuilder();
        for (var index = 0; index < text.Length; index++)
        {
            decoder.Append(index, output);
            Assert.StartsWith(output.ToString(), SpaceCleanup.Apply(text), StringComparison.Ordinal);
        }

        decoder.Complete(output);
        Assert.Equal(SpaceCleanup.Apply(text), output.ToString());
    }

    private static List<int> Bytes(string text) => [.. Encoding.UTF8.GetBytes(text).Select(value => Tokenizer.IdOf($"<0x{value:X2}>")!.Value)];

    /// <summary>Decodes id n to the n-th letter of a text.</summary>
    private sealed class Letters(string text) : TokenDecoder
    {
        public override void Append(int id, StringBuilder output) => output.Append(text[id]);

        public override void Complete(StringBuilder output)
        {
        }
    }
}
