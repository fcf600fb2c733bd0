using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Tokenization;

public sealed class CanonicalCompositionTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("cafe\u0301", "caf\u00E9")]
    [InlineData("a\u0323\u0302", "\u1EAD")]
    [InlineData("a\u0302\u0323", "\u1EAD")] // marks in the other order
    [InlineData("\u1EAD", "\u1EAD")]
    [InlineData("\u212B", "\u00C5")] // Ångström sign
    [InlineData("\u0958", "\u0915\u093C")] // excluded from composition
    [InlineData("\u1112\u1161\u11AB", "\uD55C")] // Hangul
    [InlineData("\uD55C", "\uD55C")]
    [InlineData("\uF900", "\u8C48")] // CJK compatibility
    [InlineData("e\u0327\u0301", "\u0229\u0301")] // the second mark is no composite with the first
    [InlineData("a\u0300\u0300", "\u00E0\u0300")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")] // beyond U+FFFF
    [InlineData("q\u0307\u0323", "q\u0323\u0307")] // only sorted
    public void Text_gets_the_form_that_Unicode_prescribes(string text, string composed) => Assert.Equal(composed, CanonicalComposition.Compose(text));
}
