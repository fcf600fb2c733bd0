using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Tokenization;

public sealed class Gpt2WordsTests
{
    [Theory]
    [InlineData("Hello, world!", "Hello|,| world|!")]
    [InlineData("it's we'll I'd'x", "it|'s| we|'ll| I|'d|'|x")]
    [InlineData("a  b   ", "a| | b|   ")]
    [InlineData("a\n\n b", "a|\n\n| b")]
    [InlineData("a\nb", "a|\n|b")]
    [InlineData(" 12ab ½", " 12|ab| ½")]
    [InlineData("a𝒜b 🙂🙂 c", "a𝒜b| 🙂🙂| c")] // letters beyond U+FFFF are letters
    [InlineData(" ", " ")]
    [InlineData("", "")]
    public void Text_is_split_as_by_the_pattern(string text, string words) =>
        Assert.Equal(words, string.Join('|', new Gpt2Words().PreTokenize(text).Select(word => text.Substring(word.Offset, word.Length))));
}
