Feature: The acquirer's subscription to Klarna's webhooks
  Whoever does not hear that a payment request has ended cannot finish the payment.

  @AP-19
  Scenario: The acquirer hears of every state change
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    Then the acquirer is subscribed to the state changes of payment requests

  @AP-19 @AP-21
  Scenario Outline: It covers each end of a payment request: <event>
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And <what happens>
    Then Klarna notifies the acquirer by webhook that the payment request is <event>

    Examples:
      | what happens                       | event     |
      | the customer approves the purchase | completed |
      | the customer refuses the purchase  | declined  |
      | Klarna cancels the payment request | canceled  |
      | the payment request expires        | expired   |
