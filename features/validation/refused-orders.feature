Feature: Orders that cannot be paid
  The acquirer checks what the Partner asks for before it asks Klarna. Each order here has one mistake;
  the same order without it is paid, which shows what the refusal was for.

  @AP-02
  Scenario Outline: Is refused, and Klarna never hears of it: <mistake>
    Given a Partner with an order of 459.00 SEK
    And the order has <mistake>
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer refuses the payment
    When the Partner mends the order and creates the payment again
    Then the acquirer responds that the payment is approved
    And the refused payment left no authorize at Klarna

    Examples:
      | mistake                                 |
      | a negative amount                       |
      | an amount of zero                       |
      | no currency                             |
      | a currency that is none                 |
      | a return URL that is none               |
      | Klarna Network Data of 10241 characters |
