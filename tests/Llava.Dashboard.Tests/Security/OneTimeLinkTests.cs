using Llava.Dashboard.Security;

namespace Llava.Dashboard.Tests.Security;

public sealed class OneTimeLinkTests
{
    private readonly OneTimeLink _link = new();

    private string Token => _link.Path.Split('=')[1];

    [Fact]
    public void The_token_opens_once()
    {
        Assert.True(_link.TrySpend(Token));
        Assert.False(_link.TrySpend(Token));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("zz")]
    [InlineData("not hexadecimal, and longer than the sixty-four letters of a token")]
    public void Anything_else_is_refused_and_spends_nothing(string? token)
    {
        Assert.False(_link.TrySpend(token));
        Assert.True(_link.TrySpend(Token));
    }

    [Fact]
    public void A_token_with_one_wrong_digit_is_refused() =>
        Assert.False(_link.TrySpend((Token[0] == '0' ? '1' : '0') + Token[1..]));

    [Fact]
    public void Every_start_has_its_own() => Assert.NotEqual(_link.Path, new OneTimeLink().Path);
}
