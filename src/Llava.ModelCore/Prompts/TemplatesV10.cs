using static Llava.ModelCore.Prompts.TemplateShapes;

namespace Llava.ModelCore.Prompts;

/// <summary>Templates of package 1.0.1 (spec 3.3), with the name <c>plain</c> that came two weeks later.</summary>
internal static class TemplatesV10
{
    public static IReadOnlyList<ConversationTemplate> All { get; } =
    [
        HumanAssistant("default", TemplateTexts.CuriousHuman, TemplateTexts.RenewableEnergy),
        HumanAssistant("v0", TemplateTexts.CuriousHuman, TemplateTexts.RenewableEnergy),
        Vicuna("v1", TemplateTexts.CuriousUser),
        Vicuna("vicuna_v1", TemplateTexts.CuriousUser),
        Instruction("llama_2", TemplateTexts.Llama2, separator: "<s>"),
        Caption("plain"),
        Caption("v0_plain"),
        HumanAssistant("llava_v0", TemplateTexts.CuriousHuman,
            [new(Speaker.User, "Hi!"), new(Speaker.Assistant, "Hi there! How can I help you today?")]),
        HumanAssistant("v0_mmtag", TemplateTexts.ImageTags) with { Version = "v0_mmtag" },
        Vicuna("llava_v1", TemplateTexts.CuriousHuman),
        Vicuna("v1_mmtag", TemplateTexts.ImageTags) with { Version = "v1_mmtag" },
        Instruction("llava_llama_2", TemplateTexts.LlavaLlama2, separator: "<s>"),
        ChatMl("mpt", TemplateTexts.Mpt),
    ];
}
