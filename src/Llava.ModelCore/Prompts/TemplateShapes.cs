namespace Llava.ModelCore.Prompts;

/// <summary>The handful of forms that all templates come in.</summary>
internal static class TemplateShapes
{
    public static ConversationTemplate HumanAssistant(string name, string system, IReadOnlyList<Message>? examples = null) =>
        new(name, PromptStyle.Single, system, "Human", "Assistant", "###") { Examples = examples ?? [] };

    public static ConversationTemplate Vicuna(string name, string system, string assistant = "ASSISTANT") =>
        new(name, PromptStyle.Two, system, "USER", assistant, " ") { SecondSeparator = "</s>", Version = "v1" };

    public static ConversationTemplate Instruction(string name, string system, string separator) =>
        new(name, PromptStyle.Llama2, system, "USER", "ASSISTANT", separator) { SecondSeparator = "</s>", Version = "llama_v2" };

    public static ConversationTemplate ChatMl(string name, string system) =>
        new(name, PromptStyle.Mpt, system, "<|im_start|>user\n", "<|im_start|>assistant\n", "<|im_end|>") { Version = "mpt" };

    public static ConversationTemplate Caption(string name) => new(name, PromptStyle.Plain, "", "", "", "\n");
}
