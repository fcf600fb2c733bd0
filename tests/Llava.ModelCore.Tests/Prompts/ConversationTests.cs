using Llava.ModelCore.Prompts;

namespace Llava.ModelCore.Tests.Prompts;

public sealed class ConversationTests
{
    private static readonly Message Question = new(Speaker.User, "Q1 <image>") { HasImage = true };

    [Fact]
    public void An_image_comes_before_the_first_question() =>
        Assert.EndsWith("USER: <image>\nQ1 ASSISTANT:", Ask("vicuna_v1", Question));

    [Fact]
    public void Templates_with_image_tags_give_the_image_a_turn_of_its_own() =>
        Assert.EndsWith(" USER: <Image><image></Image> ASSISTANT: Received.</s>USER: Q1 ASSISTANT:", Ask("v1_mmtag", Question));

    [Fact]
    public void After_examples_the_placeholder_stays_where_it_was_written() =>
        Assert.EndsWith("###Human: Q1 <image>###Assistant:", Ask("v0", Question));

    [Fact]
    public void Adding_a_turn_leaves_the_conversation_as_it_was()
    {
        var conversation = Conversation.Start(ConversationTemplates.Find("vicuna_v1"));
        var before = conversation.ToPrompt();

        conversation.Add(Question);

        Assert.Equal(before, conversation.ToPrompt());
    }

    [Fact]
    public void Instructions_cannot_begin_with_an_answer()
    {
        var conversation = Conversation.Start(ConversationTemplates.Find("llava_llama_2")).Add(Speaker.Assistant, "A");

        Assert.Contains("llava_llama_2", Assert.Throws<PromptException>(conversation.ToPrompt).Message);
    }

    [Fact]
    public void An_unknown_template_is_answered_with_those_there_are()
    {
        var error = Assert.Throws<PromptException>(() => ConversationTemplates.Find("vicuna_v2", LlavaRevision.V10));

        Assert.Contains("vicuna_v2", error.Message);
        Assert.All(ConversationTemplates.All(LlavaRevision.V10), template => Assert.Contains(template.Name, error.Message));
        Assert.DoesNotContain("mistral_instruct", error.Message);
    }

    [Theory]
    [InlineData(LlavaRevision.V01, "default")]
    [InlineData(LlavaRevision.V10, "v0")]
    [InlineData(LlavaRevision.V12, "v1")]
    public void The_default_is_that_of_the_revision(LlavaRevision revision, string name) => Assert.Equal(name, ConversationTemplates.Default(revision).Name);

    [Fact]
    public void Names_are_unique_in_each_revision() => Assert.All(Enum.GetValues<LlavaRevision>(), revision =>
        Assert.Equal(ConversationTemplates.All(revision).Count, ConversationTemplates.All(revision).DistinctBy(template => template.Name).Count()));

    [Fact]
    public void Legacy_templates_begin_with_their_own_examples() => Assert.Equal(
        "You are LLaVA, a large language model trained by UW Madison WAIV Lab.You are designed to assist human with a variety of tasks using natural language.Follow the instructions carefully." +
        "###Human: Hi!\n\n### Response:###Assistant: Hi there!  How can I help you today?\n###Human: Q###Assistant:",
        Conversation.Start(ConversationTemplates.Find("simple_legacy", LlavaRevision.V01)).Add(Speaker.User, "Q").Add(Speaker.Assistant, null).ToPrompt());

    private static string Ask(string template, Message question) =>
        Conversation.Start(ConversationTemplates.Find(template)).Add(question).Add(Speaker.Assistant, null).ToPrompt();
}
