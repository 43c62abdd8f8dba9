Feature: Webhooks that are not Klarna's
  Anybody can call the acquirer's webhook URL. Only a signature made with the acquirer's own signing key
  shows that Klarna speaks. In each scenario Klarna's own webhook follows, and is believed.

  @AP-49
  Scenario Outline: A forged approval has no effect: <forgery>
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And somebody sends the acquirer a completed webhook <forgery>
    And the customer approves the purchase
    Then the forged webhook has no effect, while Klarna's own has

    Examples:
      | forgery                                |
      | with a forged signature                |
      | under an unknown signing key           |
      | without a signature                    |
      | altered on its way                     |
      | signed with another key of the account |

  @AP-49
  Scenario: A forged refusal has no effect
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And somebody sends the acquirer a declined webhook with a forged signature
    And the customer approves the purchase
    Then the forged webhook has no effect, while Klarna's own has
