using Llava.Contracts.Requests;

namespace Llava.Contracts.Tests;

public sealed class PromptTemplateTests
{
    [Theory]
    [InlineData("Describe.", "Describe.")]
    [InlineData("What of {title}, {title} and {sub title}?", "What of [title], [title] and [sub title]?")]
    [InlineData("{prompt} Be brief.", "[prompt] Be brief.")]
    [InlineData("Say {{title}} and {{ }}", "Say {title} and {{ }}")]
    [InlineData("{{{title}}}", "{{title}}")]
    [InlineData("""Answer as {"colour": {"name": "red"}} or {}.""", """Answer as {"colour": {"name": "red"}} or {}.""")]
    [InlineData("{größe_2.x}{1}", "[größe_2.x]{1}")]
    public void Fields_are_filled_in_and_every_other_brace_stands_for_itself(string template, string expected) =>
        Assert.Equal(expected, new PromptTemplate(template).Fill(field => $"[{field}]"));

    [Fact]
    public void A_value_with_braces_is_not_filled_in_again() =>
        Assert.Equal("{b}", new PromptTemplate("{a}").Fill(field => field == "a" ? "{b}" : "no"));

    [Fact]
    public void Each_field_is_named_once() => Assert.Equal(["b", "a"], new PromptTemplate("{b}{a}{{c}}{b}").Fields);

    [Theory]
    [InlineData(null, "Why?", "Why?")]
    [InlineData("Describe.", null, "Describe.")]
    [InlineData("Describe {{it}}.", null, "Describe {it}.")]
    [InlineData("Answer briefly: {prompt}", "Answer briefly: {{Why}}?", "Answer briefly: {{Why}}?")]
    [InlineData(null, null, null)]
    public void What_is_asked_is_the_items_text_as_it_was_filled_in_else_the_jobs(string? job, string? item, string? expected) => Assert.Equal(expected, PromptTemplate.Compose(job, item));
}
