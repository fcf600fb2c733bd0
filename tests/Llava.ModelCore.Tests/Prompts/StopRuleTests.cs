using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tests.Parity;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Tests.Prompts;

public sealed class StopRuleTests
{
    private static readonly ITokenizer Tokenizer = TokenizerFolder.Open(Path.Combine(FixtureFolder.Case("J"), "tokenizer"));

    [Theory]
    [InlineData("llava_v0", "###")]
    [InlineData("vicuna_v1", "</s>")]
    [InlineData("llava_llama_2", "</s>")]
    [InlineData("mistral_instruct", "</s>")]
    [InlineData("mpt", "<|im_end|>")]
    [InlineData("plain", "\n")]
    public void A_template_stops_at_what_follows_an_answer_in_training(string template, string stop) =>
        Assert.Equal(stop, ConversationTemplates.Find(template).StopString);

    [Fact]
    public void Eos_stops_under_every_rule() => Assert.True(StopRule.For(Tokenizer).IsStop(Tokenizer.EosId!.Value));

    [Fact]
    public void A_stop_string_that_is_an_added_token_stops_as_a_token()
    {
        var tokenizer = Tokenizer.WithAddedTokens("<|im_end|>");
        var rule = StopRule.For(tokenizer, ConversationTemplates.Find("mpt"));

        Assert.True(rule.IsStop(tokenizer.IdOf("<|im_end|>")!.Value));
        Assert.False(rule.IsStop(tokenizer.BosId!.Value));
    }

    [Theory]
    [InlineData("  a cat###  ", "a cat")]
    [InlineData("a cat ### ", "a cat")]
    [InlineData("a cat######", "a cat###")]
    [InlineData("a ### cat", "a ### cat")]
    public void An_answer_loses_its_stop_string_once_and_the_white_space_around_it(string answer, string clean) =>
        Assert.Equal(clean, StopRule.For(Tokenizer, ["###"]).Clean(answer));
}
