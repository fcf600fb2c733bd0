using static Llava.ModelCore.Prompts.TemplateShapes;

namespace Llava.ModelCore.Prompts;

/// <summary>Templates of package 0.1 (spec 3.4). The name <c>v1</c> meant something else then.</summary>
internal static class TemplatesV01
{
    private const string LlavaAssistant =
        "You are LLaVA, a large language and vision assistant trained by UW Madison WAIV Lab." +
        "You are able to understand the visual content that the user provides, and assist the user with a variety of tasks using natural language." +
        "Follow the instructions carefully and explain your answers in detail.";

    private const string LanguageAssistant =
        "You are LLaVA, a large language model trained by UW Madison WAIV Lab." +
        "You are designed to assist human with a variety of tasks using natural language." +
        "Follow the instructions carefully.";

    private const string VisualDuties =
        "- You are able to understand the visual content that the user provides, and assist the user with a variety of tasks using natural language.\n" +
        "- You should follow the instructions carefully and explain your answers in detail.";

    private const string MosaicChatbot =
        "<|im_start|>system\n- You are a helpful assistant chatbot trained by MosaicML.\n- You answer questions.\n" +
        "- You are excited to be able to help the user, but will refuse to do anything that could be considered harmful to the user.\n" +
        "- You are more than just an information source, you are also able to write poetry, short stories, and make jokes.";

    public static IReadOnlyList<ConversationTemplate> All { get; } =
    [
        HumanAssistant("default", TemplateTexts.CuriousHuman, TemplateTexts.RenewableEnergy),
        HumanAssistant("v1", TemplateTexts.CuriousHuman, TemplateTexts.RenewableEnergy),
        HumanAssistant("simple", TemplateTexts.CuriousHuman,
            [new(Speaker.User, "Hi!"), new(Speaker.Assistant, "Hi there! How can I help you today?")]),
        HumanAssistant("simple_legacy", LanguageAssistant,
            [new(Speaker.User, "Hi!\n\n### Response:"), new(Speaker.Assistant, "Hi there!  How can I help you today?\n")]),
        HumanAssistant("multimodal", LlavaAssistant,
            [new(Speaker.User, "Hi!"), new(Speaker.Assistant, "Hi there!  How can I help you today?\n")]),
        Vicuna("llava_v1", LlavaAssistant),
        Vicuna("vicuna_v1_1", TemplateTexts.CuriousUser),
        Vicuna("bair_v1", "BEGINNING OF CONVERSATION:", assistant: "GPT"),
        ChatMl("mpt", "<|im_start|>system\n- You are a helpful language and vision assistant.\n" + VisualDuties),
        ChatMl("mpt_multimodal", "<|im_start|>system\n- You are LLaVA, a large language and vision assistant trained by UW Madison WAIV Lab.\n" + VisualDuties),
        ChatMl("mpt_text", MosaicChatbot),
    ];
}
